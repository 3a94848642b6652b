#!/bin/bash
# Stand-in for Lambda's image of Python 3.13 where no image registry can be reached: Debian trixie's Python with
# AWS's runtime client, boto3, and the emulator binary that the SAM CLI carries. Needs root, debootstrap and Docker.
#
#   usage: lambda-image.sh TAG LABEL CACHE EMULATOR PACKAGES
#
# TAG is what the image is called; LABEL tells it from the true one; CACHE is a tar file, made if it is not there;
# EMULATOR is aws-lambda-rie-x86_64; PACKAGES a folder of Python packages, what Lambda's runtime brings.
set -euo pipefail

tag=$1 label=$2 cache=$3 emulator=$4 packages=$5
suite=trixie python=python3.13

# The mirror that this machine itself uses; apt's sources come in two formats.
mirror() {
    local found
    found=$(grep -shoE '(https?|file):/[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* |
        head -n 1 | tr -d ' ') || true
    echo "${DEBIAN_MIRROR:-${found:-http://deb.debian.org/debian}}"
}

debian() {
    local root=$1 log=$1.log
    if ! debootstrap --variant=minbase --include=$python,ca-certificates $suite "$root" "$(mirror)" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        return 1
    fi
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}
}

runtime() {
    local root=$1
    mkdir -p "$root"/{opt,var/task,var/runtime,var/rapid,var/lang/bin,usr/local/bin}
    cp -R "$packages/." "$root/var/runtime/"
    chroot "$root" $python -m compileall -q /var/runtime
    ln -s /usr/bin/$python "$root/var/lang/bin/$python"
    ln -s /usr/bin/$python "$root/var/lang/bin/python3"
    install -m 755 "$emulator" "$root/usr/local/bin/aws-lambda-rie"

    # Lambda's order: the function's own folder, the layer, what the runtime brings
    cat >"$root/var/runtime/bootstrap" <<SCRIPT
#!/bin/sh
export PYTHONPATH="/opt/python/lib/$python/site-packages:/opt/python:/var/runtime\${PYTHONPATH:+:\$PYTHONPATH}"
cd "\${LAMBDA_TASK_ROOT:-/var/task}" && exec /usr/bin/$python -m awslambdaric "\${_HANDLER:-\$1}"
SCRIPT
    cat >"$root/lambda-entrypoint.sh" <<'SCRIPT'
#!/bin/sh
export _HANDLER="$1"
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap "$1"
fi
exec /var/runtime/bootstrap "$1"
SCRIPT
    chmod 755 "$root/var/runtime/bootstrap" "$root/lambda-entrypoint.sh"
}

if [ ! -e "$cache" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # a newer suite is built like its predecessors; an older debootstrap just does not know its name
    [ -e /usr/share/debootstrap/scripts/$suite ] || ln -s sid /usr/share/debootstrap/scripts/$suite
    debian "$work/root"
    runtime "$work/root"
    mkdir -p "$(dirname "$cache")"
    rm -f "$(dirname "$cache")"/lambda-image-*.tar
    tar -C "$work/root" -c -f "$cache.part" .
    mv "$cache.part" "$cache"
fi

docker import \
    --change "LABEL $label" \
    --change 'WORKDIR /var/task' \
    --change 'ENTRYPOINT ["/lambda-entrypoint.sh"]' \
    --change 'ENV LANG=en_US.UTF-8 TZ=:/etc/localtime LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
    --change 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin' \
    "$cache" "$tag"
