"""`chaosprep augment`: the stage, and two ways to look before: the presets and a preview."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from chaosprep.cli.config import blamed, settled
from chaosprep.cli.options import FILE
from chaosprep.cli.output import Talk, say, write_json
from chaosprep.cli.stage import stage_command
from chaosprep.dataset.opening import open_dataset
from chaosprep.params import make_params
from chaosprep.running.page import PICTURE, check_place, new_file
from chaosprep.stages.augment import AUGMENT, AugmentParams


class ListPresets(click.Option):
    """Prints the presets before anything else is asked for, and ends."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Print them where it is asked for, one a line or as JSON."""
        if self.consume_value(ctx, opts)[0] is True and not ctx.resilient_parsing:
            json = next(param for param in ctx.command.params if param.name == "as_json")
            told = json.type_cast_value(ctx, json.consume_value(ctx, opts)[0])
            _print_presets(as_json=told is True)
            ctx.exit()
        return super().handle_parse_result(ctx, opts, args)


def _print_presets(*, as_json: bool) -> None:
    from chaosprep.augmentation import PRESETS

    if as_json:
        write_json({name: preset.description for name, preset in PRESETS.items()})
        return
    for name, preset in PRESETS.items():
        click.echo(f"{name:<10}{preset.description}")


def draw_preview(source: Path, file: Path, fields: dict[str, Any], talk: Talk) -> None:
    """Draw a sheet for the parameters at hand; no dataset is written."""
    from chaosprep.stages.augment_preview import preview

    names = AugmentParams.__struct_fields__
    own = {name: fields[name] for name in names}
    with blamed(own):
        params = make_params(AugmentParams, settled(own))
    dataset = open_dataset(source)
    check_place(file, dataset.directory, PICTURE)
    with new_file(file, PICTURE, fields["overwrite"]) as save:
        save(preview(dataset, params))
    if talk.as_json:
        write_json({"path": file})
    elif not talk.quiet:
        say(f"augment: preview -> {file}")


class AugmentCommand(click.Command):
    """The command of the stage; with `--preview` it draws a sheet instead, and needs no `-o`."""

    def invoke(self, ctx: click.Context) -> object:
        """Draw the preview, or run the stage."""
        file = ctx.params.pop("preview")
        if file is not None:
            loudness = ctx.params["verbose"] - ctx.params["quiet"]
            with Talk(loudness, ctx.params["as_json"], bar=False) as talk:
                draw_preview(ctx.params["source"], file, ctx.params, talk)
            return None
        if ctx.params["output"] is None:
            output = next(param for param in self.params if param.name == "output")
            raise click.MissingParameter(ctx=ctx, param=output)
        return super().invoke(ctx)


def _command() -> click.Command:
    stage = stage_command(AUGMENT)
    for param in stage.params:
        param.required = param.required and param.name != "output"
    looks = [
        click.Option(
            ["--preview"],
            type=FILE,
            metavar="FILE.png",
            help="Draw a sheet of originals and copies instead of writing the dataset.",
        ),
        ListPresets(
            ["--list-presets"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            help="List the presets and what each does, and exit.",
        ),
    ]
    return AugmentCommand(
        stage.name, callback=stage.callback, params=[*stage.params, *looks], help=stage.help
    )


command = _command()
