"""An EKS API with access entries only, as the sandbox's own stands beside moto."""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeEKS:
    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}  # by principal
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body["clusterName"] = self.path.split("/")[2]
                if body["principalArn"] in outer.entries:
                    return self.answer(409, {"message": "The specified access entry resource is already in use."}, "ResourceInUseException")
                outer.entries[body["principalArn"]] = body
                return self.answer(200, {"accessEntry": body})

            def do_DELETE(self) -> None:
                principal = urllib.parse.unquote(self.path.split("/access-entries/")[1])
                if outer.entries.pop(principal, None) is None:
                    return self.answer(404, {"message": "no such entry"}, "ResourceNotFoundException")
                return self.answer(200, {})

            def answer(self, status: int, body: dict[str, Any], code: str = "") -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                if code:
                    self.send_header("X-Amzn-ErrorType", code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
