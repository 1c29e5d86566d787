"""Visible, validated parameters: what a form shows, a command accepts and a round stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = bool | int | float | str | None


class ParameterError(ValueError):
    """A parameter is unknown or has a value that it cannot have; the message names it."""


@dataclass(frozen=True)
class Parameter:
    """One setting: its type is the type of `default`; `low` and `high` are inclusive; `choices` lists
    words.
    """

    name: str
    default: Value
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    kind: str = ""
    """"float", "int", "bool" or "str"; needed only where the default is None (no value)."""

    @property
    def type_name(self) -> str:
        return self.kind or type(self.default).__name__

    def check(self, value: Any) -> Value:
        """Return the value in the parameter's type, or raise `ParameterError`. Text from a form or
        command is read.
        """
        if value is None or value == "":
            if self.default is None:
                return None
            raise ParameterError(f"{self.name} needs a value")
        if self.type_name == "bool":
            return self._as_bool(value)
        if self.type_name == "str":
            text = str(value)
            if self.choices and text not in self.choices:
                raise ParameterError(f"{self.name} must be one of {', '.join(self.choices)}, not {text!r}")
            return text
        return self._as_number(value)

    def _as_bool(self, value: Any) -> bool:
        text = str(value).lower()
        if text in ("true", "1", "yes", "on"):
            return True
        if text in ("false", "0", "no", "off"):
            return False
        raise ParameterError(f"{self.name} must be true or false, not {value!r}")

    def _as_number(self, value: Any) -> int | float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ParameterError(f"{self.name} must be a number, not {value!r}") from None
        if number != number or number in (float("inf"), float("-inf")):
            raise ParameterError(f"{self.name} must be a finite number, not {value!r}")
        if self.type_name == "int":
            if number != int(number):
                raise ParameterError(f"{self.name} must be a whole number, not {value!r}")
            number = int(number)
        if self.low is not None and number < self.low:
            raise ParameterError(f"{self.name} must be at least {self.low:g}, not {value}")
        if self.high is not None and number > self.high:
            raise ParameterError(f"{self.name} must be at most {self.high:g}, not {value}")
        return number


def checked_parameters(owner: str, known: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Value]:
    """Return every known parameter with its checked value or its default; unknown names raise
    `ParameterError`.
    """
    names = {parameter.name for parameter in known}
    for name in values:
        if name not in names:
            have = ", ".join(sorted(names)) or "none"
            raise ParameterError(f"{owner} has no parameter {name!r}; it has {have}")
    checked: dict[str, Value] = {}
    for parameter in known:
        if parameter.name in values:
            checked[parameter.name] = parameter.check(values[parameter.name])
        else:
            checked[parameter.name] = parameter.default
    return checked
