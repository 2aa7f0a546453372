"""Errors whose text is a sentence for the user. Anything else is a defect and shows only a reference."""


class PortalError(Exception):
    """Base of all refusals; `sentence` may be shown as it is.

    `fields` maps a field's name to the sentence shown beside it, where input can't be taken.
    """

    def __init__(self, sentence: str, **fields: str) -> None:
        super().__init__(sentence)
        self.sentence, self.fields = sentence, fields


class Denied(PortalError):
    """The actor may not do this."""


class NotFound(PortalError):
    """No such row, or not the actor's: the two are never told apart."""


class Conflict(PortalError):
    """The row changed under the actor, or the value is taken."""


class Invalid(PortalError):
    """Input that can't be taken."""

    def __init__(self, sentence: str = "Please correct the marked fields.", **fields: str) -> None:
        super().__init__(sentence, **fields)
