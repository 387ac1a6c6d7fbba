#!/usr/bin/python3
"""Stands in for `aws eks get-token` where it keeps what it once made: the token
that it hands out is well-formed and was signed twenty minutes ago."""

import base64
import datetime
import hashlib
import hmac
import json
import sys
import urllib.parse
import urllib.request

METADATA = "http://169.254.169.254/latest/"


def metadata(path, token):
    request = urllib.request.Request(METADATA + path, headers={"X-aws-ec2-metadata-token": token})
    return urllib.request.urlopen(request, timeout=5).read().decode()


def argument(name):
    for i, text in enumerate(sys.argv):
        if text == name:
            return sys.argv[i + 1]
        if text.startswith(name + "="):
            return text.split("=", 1)[1]
    sys.exit(f"{name} is required")


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


cluster, region = argument("--cluster-name"), argument("--region")
session = urllib.request.urlopen(
    urllib.request.Request(METADATA + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}), timeout=5
).read().decode()
role = metadata("meta-data/iam/security-credentials/", session)
credentials = json.loads(metadata("meta-data/iam/security-credentials/" + role, session))

signed = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=20)
stamp, day = signed.strftime("%Y%m%dT%H%M%SZ"), signed.strftime("%Y%m%d")
host, scope = f"sts.{region}.amazonaws.com", f"{day}/{region}/sts/aws4_request"
query = urllib.parse.urlencode(sorted({
    "Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": credentials["AccessKeyId"] + "/" + scope, "X-Amz-Date": stamp, "X-Amz-Expires": "60",
    "X-Amz-Security-Token": credentials["Token"], "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
}.items()), quote_via=urllib.parse.quote, safe="-_.~")
canonical = "\n".join([
    "GET", "/", query, f"host:{host}", f"x-k8s-aws-id:{cluster}", "", "host;x-k8s-aws-id", hashlib.sha256(b"").hexdigest(),
])
to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
key = ("AWS4" + credentials["SecretAccessKey"]).encode()
for part in (day, region, "sts", "aws4_request"):
    key = sign(key, part)
url = f"https://{host}/?{query}&X-Amz-Signature={sign(key, to_sign).hex()}"
print(json.dumps({
    "apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
    "status": {
        "expirationTimestamp": (signed + datetime.timedelta(minutes=14)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "token": "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("="),
    },
}))
