"""Errors that CloudFormation answers, and reasons as it words them."""

from __future__ import annotations

import logging
import uuid

from moto.core.exceptions import JsonRESTError, ServiceException, _RESTError

log = logging.getLogger("eksnodes_moto.cfn")

# Errors that go away when whatever holds the resource lets go; CloudFormation tries again for a while.
HELD = frozenset({"DependencyViolation", "ResourceInUse", "InvalidGroup.InUse"})


class CfnError(ServiceException):
    pass


class ValidationError(CfnError):
    code = "ValidationError"


class AlreadyExists(CfnError):
    code = "AlreadyExistsException"


class InsufficientCapabilities(CfnError):
    code = "InsufficientCapabilitiesException"


class TokenAlreadyExists(CfnError):
    code = "TokenAlreadyExistsException"


class ResourceFailure(Exception):
    """A resource could not be made, changed or deleted; the text is the reason in the event."""


def no_such_stack(name: str) -> ValidationError:
    return ValidationError(f"Stack with id {name} does not exist")


def code_of(error: Exception) -> str:
    if isinstance(error, (JsonRESTError, _RESTError)):
        return error.error_type
    return getattr(error, "code", "") if isinstance(error, ServiceException) else ""


def reason_of(error: Exception, resource_type: str) -> str:
    """The reason in a resource's event, from whatever its handler raised."""
    if isinstance(error, ResourceFailure):
        return str(error)
    if isinstance(error, NotImplementedError):
        return f"EksnodesSandboxNotImplemented: {error}"
    code = code_of(error)
    if isinstance(error, CfnError):
        return str(error.message)
    if not code:
        log.error("handler of %s failed", resource_type, exc_info=error)
        return f"EksnodesSandboxInternalError: {type(error).__name__}: {error}"
    service = resource_type.split("::")[1]
    message = getattr(error, "message", "") or str(error)
    return (
        f'Resource handler returned message: "{message} (Service: {service.capitalize()}, Status Code: {_STATUS.get(code, 400)}, '
        f'Request ID: {uuid.uuid4()})" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {_handler_code(code)})'
    )


# IAM's own; everything else that the handlers meet is 400.
_STATUS = {"NoSuchEntity": 404, "DeleteConflict": 409, "EntityAlreadyExists": 409, "LimitExceeded": 409}


def _handler_code(code: str) -> str:
    if "NotFound" in code or "NoSuchEntity" in code:
        return "NotFound"
    if "AlreadyExists" in code or "Duplicate" in code:
        return "AlreadyExists"
    return "InvalidRequest"
