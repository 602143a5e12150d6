"""Copy images to other regions with the official SDK: the script that people write today, none of it ours.

    ACCESS_KEY=... SECRET_KEY=... python sdk_script.py --endpoint vm.jdcloud-api.com \
        --origin cn-north-1 --to cn-east-2 --to cn-south-1 --images images.txt

Chunks of ten, a thread pool, the whole chunk again on any error with exponential backoff, then one
describeImage per image until all are ready. One line of JSON per finished copy, at last one with the
number of requests and the seconds they took; what was given up is named on stderr. `--faster 60`
divides every pause by 60, for a cloud that is as much faster.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jdcloud_sdk.core.config import Config
from jdcloud_sdk.core.credential import Credential
from jdcloud_sdk.core.logger import FATAL, Logger
from jdcloud_sdk.services.vm.apis.CopyImagesRequest import CopyImagesParameters, CopyImagesRequest
from jdcloud_sdk.services.vm.apis.DescribeImageRequest import DescribeImageParameters, DescribeImageRequest
from jdcloud_sdk.services.vm.client.VmClient import VmClient

CHUNK = 10
WORKERS_PER_REGION = 2  # two chunks of ten fill the twenty places of a region
POLL_S = 30.0
TRIES = 8
PAUSE_S, PAUSE_MAX_S = 30.0, 300.0


class Copier:
    """Copies chunk after chunk to one region after the other, as many at a time as there are threads."""

    def __init__(self, options: argparse.Namespace) -> None:
        config = Config(options.endpoint, options.scheme, 30)
        credential = Credential(os.environ["ACCESS_KEY"], os.environ["SECRET_KEY"])
        self.client = VmClient(credential, config, Logger(FATAL))
        self.origin, self.faster = options.origin, options.faster
        self.spent_s: list[float] = []

    def send(self, request: Any) -> Any:
        """Send a request; None for whatever went wrong."""
        began = time.monotonic()
        try:
            response = self.client.send(request)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return None
        finally:
            self.spent_s.append(time.monotonic() - began)
        if response.error is not None:
            print(f"{response.error.code} {response.error.message}", file=sys.stderr)
            return None
        return response.result

    def backoff(self, attempt: int) -> None:
        """Wait longer after each failure, with jitter."""
        pause_s = min(PAUSE_MAX_S, PAUSE_S * 2**attempt) * (0.5 + random.random() / 2)
        time.sleep(pause_s / self.faster)

    def copy(self, region: str, chunk: list[str]) -> None:
        """Copy a chunk and wait until all of it is ready."""
        for attempt in range(TRIES):
            result = self.send(CopyImagesRequest(CopyImagesParameters(self.origin, chunk, region)))
            if result is not None:
                made = {pair["destinationImageId"]: pair["sourceImageId"] for pair in result["copyImages"]}
                self.wait(region, made)
                return
            if attempt < TRIES - 1:
                self.backoff(attempt)
        print(f"given up: {' '.join(chunk)} to {region}", file=sys.stderr)

    def wait(self, region: str, made: dict[str, str]) -> None:
        """Poll until every copy is ready."""
        failures = 0
        while made and failures < TRIES:
            if failures:
                self.backoff(failures - 1)
            else:
                time.sleep(POLL_S / self.faster)
            for image in list(made):
                result = self.send(DescribeImageRequest(DescribeImageParameters(region, image)))
                if result is None:
                    failures += 1
                    break
                failures = 0
                if result["image"]["status"] == "ready":
                    said = {"source": made.pop(image), "region": region, "at": time.time()}
                    print(json.dumps(said), flush=True)


def main() -> None:
    """Copy everything to everywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--endpoint", default="vm.jdcloud-api.com")
    parser.add_argument("--scheme", default="https")
    parser.add_argument("--origin", required=True)
    parser.add_argument("--to", action="append", required=True, help="a destination; repeatable")
    parser.add_argument("--images", type=argparse.FileType(), required=True, help="one image id a line")
    parser.add_argument("--faster", type=float, default=1.0)
    options = parser.parse_args()
    images = options.images.read().split()
    chunks = [images[i : i + CHUNK] for i in range(0, len(images), CHUNK)]
    copier = Copier(options)
    print(json.dumps({"began": time.time()}), flush=True)
    pools = [(region, ThreadPoolExecutor(WORKERS_PER_REGION)) for region in options.to]
    for region, pool in pools:
        for chunk in chunks:
            pool.submit(copier.copy, region, chunk)
    for _, pool in pools:
        pool.shutdown(wait=True)
    print(json.dumps({"requests": len(copier.spent_s), "took_s": sum(copier.spent_s)}))


if __name__ == "__main__":
    main()
