#!/usr/bin/env bash
# AL2023's images have this in the place of AL2's script.
echo >&2 "[ERROR] bootstrap.sh has been removed from AL2023-based EKS AMIs."
exit 1
