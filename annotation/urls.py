"""The app's addresses, a list per noun. Routes are named `noun` or `noun-verb`."""

from django.urls import URLPattern, URLResolver

app_name = "annotation"

urlpatterns: list[URLPattern | URLResolver] = []
