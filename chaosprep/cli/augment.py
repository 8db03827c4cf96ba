"""`chaosprep augment`: the stage, and two ways to look before: the presets and a preview."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import FILE
from chaosprep.cli.output import say
from chaosprep.cli.parameters import given
from chaosprep.cli.stage import stage_command
from chaosprep.dataset.opening import open_dataset
from chaosprep.params import make_params
from chaosprep.running.page import PICTURE, check_place, new_file
from chaosprep.stages.augment import AUGMENT, AugmentParams


def list_presets(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Print the presets, one a line, and end."""
    if wanted:
        from chaosprep.augmentation import PRESETS

        for name, preset in PRESETS.items():
            click.echo(f"{name:<10}{preset.description}")
        ctx.exit()


def draw_preview(source: Path, file: Path, fields: dict[str, Any]) -> None:
    """Draw a sheet for the parameters at hand; no dataset is written."""
    from chaosprep.stages.augment_preview import preview

    names = AugmentParams.__struct_fields__
    params = make_params(AugmentParams, given({name: fields[name] for name in names}))
    dataset = open_dataset(source)
    check_place(file, dataset.directory, PICTURE)
    with new_file(file, PICTURE, fields["overwrite"]) as save:
        save(preview(dataset, params))
    say(f"augment: preview -> {file}")


class AugmentCommand(click.Command):
    """The command of the stage; with `--preview` it draws a sheet instead, and needs no `-o`."""

    def invoke(self, ctx: click.Context) -> object:
        """Draw the preview, or run the stage."""
        file = ctx.params.pop("preview")
        if file is not None:
            draw_preview(ctx.params["source"], file, ctx.params)
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
        click.Option(
            ["--list-presets"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=list_presets,
            help="Tell the presets apart, and exit.",
        ),
    ]
    return AugmentCommand(
        stage.name, callback=stage.callback, params=[*stage.params, *looks], help=stage.help
    )


command = _command()
