"""Before any test: the catalogues are compiled, as `make install` and every start do."""

from huangpu.core.web.catalogues import compile_all

compile_all()
