"""The image that functions run in: AWS's own where a registry can be reached, else a stand-in made here.

The stand-in (lambda-image.sh) is Debian's Python 3.13 with AWS's runtime client and emulator binary. It carries a
label, so that a true image is never taken for it nor replaced by it.
"""

import hashlib
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from local.sam_local.docker import docker, require
from local.stack.failure import StackError
from local.stack.places import LOCAL, RUNTIME_PYTHON, SAM

REGISTRY = "https://public.ecr.aws/v2/"
TAG = "public.ecr.aws/lambda/python:3.13-x86_64"
LABEL = "sendpool.stand-in"
SCRIPT = Path(__file__).with_name("lambda-image.sh")
CACHE = LOCAL / "sam-local"


def ensure() -> str:
    """Have the image in Docker, and say in words which one it is. Older stand-ins are removed."""
    docker("image", "prune", "--force", "--filter", f"label={LABEL}")
    if TAG not in docker("images", "--format", "{{.Repository}}:{{.Tag}}").split():
        return _pull() if _registry_answers() else _stand_in()
    label = docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', TAG)
    return "AWS's image" if not label else _stand_in()


def _pull() -> str:
    print(f"pulling {TAG} …", flush=True)
    subprocess.run(["docker", "pull", "--quiet", TAG], check=True)
    return "AWS's image"


def _registry_answers() -> bool:
    try:
        urllib.request.urlopen(REGISTRY, timeout=5).close()
    except urllib.error.HTTPError:  # it wants a token: it is there
        return True
    except OSError:
        return False
    return True


def _stand_in() -> str:
    emulator, runtime = _emulator(), RUNTIME_PYTHON.parents[1] / "lib/python3.13/site-packages"
    packages = sorted(path.name for path in runtime.glob("*.dist-info"))
    key = _digest(SCRIPT.read_bytes(), emulator.read_bytes(), " ".join(packages).encode())
    label = f"{LABEL}={key}"
    if not docker("images", "--quiet", "--filter", f"label={label}", TAG):
        require("debootstrap", ("debootstrap",))
        print("building a stand-in for Lambda's image …", flush=True)
        root = CACHE / f"lambda-image-{key}.tar"
        made = subprocess.run(
            [SCRIPT, TAG, label, root, emulator, runtime],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise StackError(f"the image for functions could not be built:\n{made.stderr[-3000:]}")
    return "a stand-in image (no registry here)"


def _emulator() -> Path:
    pattern = "lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"
    found = next(SAM.parents[1].glob(pattern), None)
    if found is None:
        raise StackError("the SAM CLI here does not bring its emulator: run `make setup`")
    return found


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
