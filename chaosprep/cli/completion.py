"""`chaosprep completion`."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    r"""Add it to what your shell reads when it starts.

    \b
    bash  echo 'eval "$(chaosprep completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(chaosprep completion zsh)"' >> ~/.zshrc
    fish  chaosprep completion fish > ~/.config/fish/completions/chaosprep.fish

    Then Tab completes commands, options, their choices, and paths.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    main = click.get_current_context().find_root().command
    made = kind(main, {}, "chaosprep", "_CHAOSPREP_COMPLETE")
    click.echo(made.source_template % made.source_vars())  # source() would start a bash to ask it
