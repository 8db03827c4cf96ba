"""The commands, the Params classes and the Python functions say the same things."""

import inspect

import click
import pytest

from chaosprep import api
from chaosprep.cli.main import main
from chaosprep.errors import UsageError
from chaosprep.params import Params, describe_params, make_params
from chaosprep.stage_table import STAGES
from chaosprep.stages.prepare import CHAIN

# What a command takes besides the fields of its Params class.
SHARED = {
    *("source", "output", "jobs", "dask", "shard", "on_error", "overwrite", "dry_run", "as_json"),
    *("verbose", "quiet", "no_progress", "preview", "list_presets", "store"),
    *("config", "print_config"),
}
KINDS = [(stage.name, stage.params) for stage in CHAIN]


def options(verb: str) -> dict[str, click.Parameter]:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    return {option.name or "": option for option in command.params}


@pytest.mark.parametrize(("verb", "kind"), KINDS)
def test_every_option_is_a_field_and_every_field_an_option(verb: str, kind: type[Params]) -> None:
    assert set(options(verb)) - SHARED == set(kind.__struct_fields__)


@pytest.mark.parametrize(("verb", "kind"), KINDS)
def test_an_option_is_spelled_as_its_field_and_has_its_default(
    verb: str, kind: type[Params]
) -> None:
    found = options(verb)
    for field in describe_params(kind):
        option = found[field.name]
        assert option.opts == [f"--{field.name.replace('_', '-')}"]
        given = option.get_default(click.Context(click.Command(verb)))
        empty = (None, (), False)
        assert given == field.default or (given in empty and field.default in empty), field.name


LOCAL = [
    *("labels", "landmarks", "like", "patients", "pseudonymize", "series"),
    *("split_file", "write_split"),
]


def test_files_that_options_name_are_known_to_be_local() -> None:
    fields = {field.name: field for _, kind in KINDS for field in describe_params(kind)}
    assert sorted(name for name, field in fields.items() if field.local) == LOCAL


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("url", ["file:///home/x.csv", "s3://me:secret@bucket/x.csv"])
def test_a_url_is_refused_for_what_it_is(name: str, url: str) -> None:
    kind = next(kind for _, kind in KINDS if name in kind.__struct_fields__)
    with pytest.raises(UsageError) as error:
        make_params(kind, {name: url})
    shown = url.replace("me:secret@", "")
    assert error.value.reason.endswith(f": {shown}: this option takes no URL")
    assert error.value.remedy == "Give a path on this machine."


@pytest.mark.parametrize(("verb", "kind"), KINDS)
def test_the_defaults_of_a_command_make_the_default_parameters(
    verb: str, kind: type[Params]
) -> None:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    context = command.make_context(verb, [".", "-o", "out"])
    fields = {name: value for name, value in context.params.items() if name not in SHARED}
    assert kind(**fields) == kind()


@pytest.mark.parametrize(("verb", "kind"), KINDS)
def test_every_field_is_described_in_the_help_and_the_docstring(
    verb: str, kind: type[Params]
) -> None:
    found = options(verb)
    function = getattr(api, verb.replace("-", "_"))
    for field in describe_params(kind):
        option = found[field.name]
        assert isinstance(option, click.Option)
        assert len(field.description) > 10
        assert option.help == field.description
        assert f"    {field.name}: {field.description}" in (function.__doc__ or "")


@pytest.mark.parametrize(("verb", "kind"), KINDS)
def test_the_python_function_has_the_same_names_and_defaults(verb: str, kind: type[Params]) -> None:
    signature = inspect.signature(getattr(api, verb.replace("-", "_")))
    own = {"source", "output", "jobs", "dask", "shard", "store", "on_error", "overwrite"}
    own |= {"on_event"}
    given = {p.name: p.default for p in signature.parameters.values() if p.name not in own}
    assert given == {field.name: field.default for field in describe_params(kind)}


def test_prepare_takes_the_fields_of_all_four_stages() -> None:
    every = {name for stage in CHAIN for name in stage.params.__struct_fields__}
    assert set(options("prepare")) - SHARED - {"config", "page"} == every


@pytest.mark.parametrize("verb", [*STAGES, "prepare"])
def test_every_option_has_help(verb: str) -> None:
    for option in options(verb).values():
        assert isinstance(option, click.Argument) or (
            isinstance(option, click.Option) and option.help
        ), option.name
