"""Only the extension table; everything else is in pyproject.toml.

``OPTIMIZER_DEBUG=1`` builds with bounds checks, ``OPTIMIZER_ANNOTATE=1`` writes Cython's annotated HTML.
"""

import os
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("OPTIMIZER_DEBUG") == "1"
SOURCES = sorted(Path("ext").rglob("*.pyx"))
HEADERS = [str(header) for header in sorted(Path("ext").rglob("*.h"))]

extensions = [
    Extension(
        ".".join(source.relative_to("ext").with_suffix("").parts),
        [str(source)],
        depends=HEADERS,
        include_dirs=[numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        # -g0: half the size, and no paths of the machine that built it.
        # -ffp-contract=off: the same bits on every processor, with or without fused multiply-add.
        extra_compile_args=["-O3", "-g0", "-ffp-contract=off"],
    )
    for source in SOURCES
]

setup(
    ext_modules=cythonize(
        extensions,
        include_path=["ext"],
        annotate=os.environ.get("OPTIMIZER_ANNOTATE") == "1",
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": DEBUG,
            "cdivision": True,
        },
    )
)
