"""The admin's way in: everything can be looked at; what may be changed is changed by an action.

Each module registers its own tables, so all of them are imported, whatever they are.
"""

from importlib import import_module
from pkgutil import iter_modules

from django.apps import apps
from django.contrib import admin
from django.utils.translation import gettext_lazy

from annotation.admin.names import name_all

admin.site.site_header = gettext_lazy("InterMT administration")
admin.site.site_title = gettext_lazy("InterMT administration")

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

name_all(apps.get_app_config("annotation").get_models())
