"""The WSGI side: one request at a time, and no error that could be taken for AWS's.

moto answers an operation that it lacks, and its own mistakes, with an HTML page
and status 500, which SDKs retry and then report as a parse error. Here both are
HTTP 501 (which SDKs do not retry) with a code that no AWS service uses, in the
protocol of the caller.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from .clock import STATE

NOT_IMPLEMENTED = "EksnodesSandboxNotImplemented"
INTERNAL_ERROR = "EksnodesSandboxInternalError"
MAX_BODY = 8 << 20

log = logging.getLogger("eksnodes_moto.server")


class NotInSandbox(NotImplementedError):
    """Something AWS has and the sandbox has not; reported as NOT_IMPLEMENTED."""


class LoudErrors:
    """Wraps moto's WSGI application."""

    def __init__(self, app: Callable[..., Iterable[bytes]]):
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call = Call(environ)
        if call.path == "/moto-api/reset":
            return _send(call, start_response, NOT_IMPLEMENTED, "reset would lose what was seeded: restart the process")
        answer = _Captured()
        try:
            with STATE:
                body = b"".join(self.app(environ, answer.start))
        except NotImplementedError as e:
            log.warning("not implemented: %s %s: %s", call.service, call.operation, e)
            return _send(call, start_response, NOT_IMPLEMENTED, str(e))
        except Exception as e:
            log.exception("internal error in %s %s", call.service, call.operation)
            return _send(call, start_response, INTERNAL_ERROR, f"{type(e).__name__}: {e}")
        if answer.is_page_not_found(body) and not call.path.startswith("/moto-api"):
            return _send(call, start_response, NOT_IMPLEMENTED, "moto has no such operation")
        if answer.status.startswith("500"):
            log.error("internal error in %s %s: %s", call.service, call.operation, body[:2000])
            return _send(call, start_response, INTERNAL_ERROR, "see the log of moto")
        start_response(answer.status, answer.headers)
        return [body]


class Call:
    """What a request says about itself: service, operation, protocol."""

    def __init__(self, environ: dict[str, Any]):
        self.path = environ.get("PATH_INFO", "")
        self.target = environ.get("HTTP_X_AMZ_TARGET", "")
        scope = re.search(r"Credential=[^/]+/\d+/([^/]*)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        self.service = scope.group(2) if scope else environ.get("HTTP_HOST", "").split(".")[0]
        form = parse_qs(environ.get("QUERY_STRING", ""))
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            form.update(parse_qs(_read_body(environ)))
        self.action = form.get("Action", [""])[0]
        self.operation = self.action or self.target.split(".")[-1] or f"{environ.get('REQUEST_METHOD')} {self.path}"


class _Captured:
    """Keeps status and headers until the body is known."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.headers = status, headers
        return lambda _: None

    def is_page_not_found(self, body: bytes) -> bool:
        if not self.status.startswith(("404", "405")):
            return False
        kind = {k.lower(): v for k, v in self.headers}.get("content-type", "")
        return not body or (kind.startswith("text/html") and body.lstrip()[:9].lower() in (b"<!doctype", b"<html>\n<h"))


def _read_body(environ: dict[str, Any]) -> str:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BODY)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode("utf-8", "replace")


def _send(call: Call, start_response: Any, code: str, why: str) -> list[bytes]:
    message = f"{call.service} {call.operation}: {why}"
    kind, body = _render(call, code, message)
    start_response("501 Not Implemented", [("Content-Type", kind), ("X-Amzn-ErrorType", code)])
    return [body.encode()]


def _render(call: Call, code: str, message: str) -> tuple[str, str]:
    text = escape(message)
    if call.target:
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
    if call.service == "ec2":
        return "text/xml", (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>"
            "<RequestID>sandbox</RequestID></Response>"
        )
    if call.action:
        return "text/xml", (
            f"<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>{text}</Message></Error>"
            "<RequestId>sandbox</RequestId></ErrorResponse>"
        )
    if call.service in ("s3", "route53", "cloudfront"):
        return "application/xml", f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    return "application/json", json.dumps({"__type": code, "message": message})
