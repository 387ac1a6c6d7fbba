"""python -m eksnodes_moto -H 127.0.0.1 -p PORT"""

from __future__ import annotations

import argparse
import logging
import os
import pathlib
import signal
import sys

from . import settings as settings_module
from .patching import Patcher, PatchError, load_fingerprints, write_fingerprints

MOTO_VERSION = "5.2.5"


def main() -> None:
    args = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    _prepare_environment()
    settings = settings_module.from_environment()

    # moto reads its environment when imported: not before now.
    import moto

    if moto.__version__ != MOTO_VERSION:
        raise SystemExit(f"eksnodes_moto: moto {moto.__version__} is installed, the repairs are for {MOTO_VERSION}")
    from .repairs import apply

    patcher = Patcher(load_fingerprints(), record=args.write_fingerprints)
    try:
        apply(patcher, settings)
    except PatchError as e:
        raise SystemExit(f"eksnodes_moto: {e}") from None
    if args.write_fingerprints:
        write_fingerprints(patcher.seen)
        return
    _serve(args.host, args.port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="eksnodes_moto", description=__doc__)
    parser.add_argument("-H", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=5000)
    parser.add_argument("--write-fingerprints", action="store_true", help="accept this moto as the one repaired, and end")
    return parser.parse_args()


def _prepare_environment() -> None:
    data = pathlib.Path(__file__).with_name("data")
    defaults = {
        "MOTO_ACCOUNT_ID": settings_module.DEFAULT_ACCOUNT,
        "MOTO_AMIS_PATH": str(data / "amis.json"),
        "MOTO_ENABLE_AMI_VALIDATION": "1",
        "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "1",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _serve(host: str, port: int) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    from .clock import CLOCK
    from .server import LoudErrors

    os.environ.setdefault("MOTO_PORT", str(port))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # all state is in memory: nothing to wait for
    CLOCK.start()
    app = LoudErrors(DomainDispatcherApplication(create_backend_app))
    run_simple(host, port, app, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
