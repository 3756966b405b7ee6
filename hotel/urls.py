"""Addresses of the back office: everything is Django admin."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]

handler403 = "hotel.desk.errors.refused"
handler404 = "hotel.desk.errors.not_found"
handler500 = "hotel.desk.errors.failed"
