"""Drives a registry with MlflowClient, and prints what each call gave: drive_registry.py <url> <source>.

The results have no times: of these, they say whether something was changed after it was made.
"""

import json
import sys
import time

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

URL, SOURCE = sys.argv[1:]
client = MlflowClient(URL)
results = []


def describe_version(version, with_aliases=True):
    return {
        "name": version.name,
        "version": version.version,
        "stage": version.current_stage,
        "description": version.description,
        "source": version.source.replace(SOURCE, "SOURCE"),
        "run_id": version.run_id,
        "run_link": version.run_link,
        "status": version.status,
        "message": version.status_message,
        "tags": version.tags,
        "model_id": version.model_id,
        "is_changed": version.last_updated_timestamp > version.creation_timestamp,
        **({"aliases": sorted(version.aliases)} if with_aliases else {}),
    }


def describe_model(model):
    return {
        "name": model.name,
        "description": model.description or None,
        "tags": model.tags,
        "aliases": model.aliases,
        "is_changed": model.last_updated_timestamp > model.creation_timestamp,
        # MLflow leaves out their aliases here.
        "latest": sorted(
            (describe_version(version, False) for version in model.latest_versions),
            key=lambda version: version["version"],
        ),
    }


def describe(value):
    if value is None or isinstance(value, (str, int)):
        return value
    if hasattr(value, "latest_versions"):
        return describe_model(value)
    if hasattr(value, "current_stage"):
        return describe_version(value)
    # Aliases are left out of what MLflow finds.
    return [
        describe_version(each, False) if hasattr(each, "current_stage") else describe_model(each) for each in value
    ]


def call(title, work):
    # So that a change has another time than what it changes.
    time.sleep(0.005)
    try:
        result = {"result": describe(work())}
    except MlflowException as error:
        result = {"error": error.error_code}
    results.append([title, result])


def pages(search, **options):
    """How many items each page has, and the names of all."""
    sizes, names, token = [], [], None
    while True:
        page = search(page_token=token, **options)
        sizes.append(str(len(page)))
        names += [getattr(each, "version", each.name) for each in page]
        token = page.token
        if not token:
            return f"{','.join(sizes)}: {','.join(names)}"


def find_models(filter_string=None, **options):
    return lambda: client.search_registered_models(filter_string, **options)


def find_versions(filter_string=None, **options):
    return lambda: client.search_model_versions(filter_string, **options)


def move(version, stage, archives=False, name="m"):
    return lambda: client.transition_model_version_stage(name, version, stage, archives)


call("create", lambda: client.create_registered_model("m", {"a.b": "1", "team": "red"}, "text"))
call("create again", lambda: client.create_registered_model("m"))
call("create with blanks", lambda: client.create_registered_model("ö model (2)"))
for name in ["", " ", "a/b", "a:b", "..", "."]:
    call(f"create {name!r}", lambda: client.create_registered_model(name))
call("get", lambda: client.get_registered_model("m"))
call("get with blanks", lambda: client.get_registered_model("ö model (2)"))
call("get nobody", lambda: client.get_registered_model("nobody"))
call("update", lambda: client.update_registered_model("m", "other text"))
call("update nobody", lambda: client.update_registered_model("nobody", "text"))
call("set tag", lambda: client.set_registered_model_tag("m", "new tag/x", "v"))
call("set tag again", lambda: client.set_registered_model_tag("m", "new tag/x", "w"))
call("set tag of nobody", lambda: client.set_registered_model_tag("nobody", "k", "v"))
call("set a bad tag", lambda: client.set_registered_model_tag("m", "a\nb", "v"))
call("set a long tag", lambda: client.set_registered_model_tag("m", "k" * 251, "v"))
call("set a long value", lambda: client.set_registered_model_tag("m", "k", "v" * 100_001))
call("delete tag", lambda: client.delete_registered_model_tag("m", "team"))
call("delete no tag", lambda: client.delete_registered_model_tag("m", "team"))
call("get", lambda: client.get_registered_model("m"))

call(
    "create version",
    lambda: client.create_model_version("m", SOURCE, "0123abc", {"k": "v"}, "https://run.example", "first"),
)
call("create version", lambda: client.create_model_version("m", SOURCE))
call("create version", lambda: client.create_model_version("m", SOURCE, "0123abc"))
call("create version of nobody", lambda: client.create_model_version("nobody", SOURCE))
call("get version", lambda: client.get_model_version("m", "1"))
call("get version by number", lambda: client.get_model_version("m", 2))
call("get version 9", lambda: client.get_model_version("m", "9"))
call("update version", lambda: client.update_model_version("m", "1", "described"))
call("update version 9", lambda: client.update_model_version("m", "9", "described"))
call("set version tag", lambda: client.set_model_version_tag("m", "1", "mlflow.x", "y"))
call("set version 9 tag", lambda: client.set_model_version_tag("m", "9", "mlflow.x", "y"))
call("delete version tag", lambda: client.delete_model_version_tag("m", "1", "k"))
call("delete no version tag", lambda: client.delete_model_version_tag("m", "1", "k"))
call("get version", lambda: client.get_model_version("m", "1"))

call("set alias", lambda: client.set_registered_model_alias("m", "champion", "3"))
call("set alias", lambda: client.set_registered_model_alias("m", "challenger", 2))
call("move alias", lambda: client.set_registered_model_alias("m", "challenger", "3"))
for alias in ["a b", "latest", "LATEST", "v3", "x/y"]:
    call(f"set alias {alias}", lambda: client.set_registered_model_alias("m", alias, "1"))
call("set alias of version 9", lambda: client.set_registered_model_alias("m", "x", "9"))
call("set alias of nobody", lambda: client.set_registered_model_alias("nobody", "x", "1"))
call("get by alias", lambda: client.get_model_version_by_alias("m", "champion"))
call("get by alias latest", lambda: client.get_model_version_by_alias("m", "latest"))
call("get by no alias", lambda: client.get_model_version_by_alias("m", "nobody"))
call("get by alias of nobody", lambda: client.get_model_version_by_alias("nobody", "champion"))
call("delete alias", lambda: client.delete_registered_model_alias("m", "challenger"))
call("delete no alias", lambda: client.delete_registered_model_alias("m", "challenger"))
call("get", lambda: client.get_registered_model("m"))

call("stage", move("1", "Production"))
call("stage in capitals", move("2", "STAGING"))
call("stage and archive", move("2", "production", True))
call("get version 1", lambda: client.get_model_version("m", "1"))
call("stage nope", move("1", "nope"))
call("stage of version 9", move("9", "Staging"))
call("latest", lambda: sorted(client.get_latest_versions("m"), key=lambda version: version.version))
call("latest in a stage", lambda: client.get_latest_versions("m", ["Production"]))
call("latest in an empty stage", lambda: client.get_latest_versions("m", ["Staging"]))
call("latest of nobody", lambda: client.get_latest_versions("nobody"))

for index in range(5):
    call(f"create m{index}", lambda: client.create_registered_model(f"M{index}", {"parity": str(index % 2)}))
call("copy", lambda: client.copy_model_version("models:/m/1", "copy"))
call("copy again", lambda: client.copy_model_version("models:/m@champion", "copy"))
call("copy of nobody", lambda: client.copy_model_version("models:/nobody/1", "copy"))

for filter_string in [
    None,
    "name = 'm'",
    "name != 'm'",
    "name LIKE 'M%'",
    "name LIKE '%'",
    "name LIKE 'M_'",
    "name ILIKE 'm%'",
    "name IN ('m', 'M1')",
    "name NOT IN ('m', 'M1')",
    "tags.parity = '1'",
    "tag.parity != '1'",
    "tags.`a.b` = '1'",
    'tags."a.b" LIKE \'%\'',
    "tags.a.b = '1'",
    "name LIKE 'M%' AND tags.parity = '0'",
    'name = "m"',
    "name = 'm' OR name = 'M1'",
    "name > 'm'",
    "name = m",
    "size = '1'",
    "metrics.a = '1'",
    "tags.parity IN ('1')",
    "name",
]:
    call(f"search models {filter_string}", find_models(filter_string))
for order in [["name DESC"], ["timestamp"], ["last_updated_timestamp DESC", "name"], ["size"], ["name up"]]:
    call(f"search models by {order}", find_models(order_by=order))
call("pages of models", lambda: pages(client.search_registered_models, max_results=3))
call("pages of models", lambda: pages(client.search_registered_models, max_results=8, order_by=["name DESC"]))
call("too many models", find_models(max_results=1001))
call("a wrong page", find_models(page_token="x"))

for filter_string in [
    None,
    "name = 'm'",
    "name LIKE 'c%'",
    "name = 'm' AND version_number > 1",
    "version_number = 1",
    "version_number <= 2",
    "run_id = '0123abc'",
    "run_id IN ('0123abc', 'x')",
    f"source_path = '{SOURCE}'",
    "source_path LIKE 'models:%'",
    "tags.`mlflow.x` = 'y'",
    "version_number = 'x'",
    "version_number LIKE '1'",
    "stage = 'Production'",
    "source_path IN ('a')",
]:
    call(f"search versions {filter_string}".replace(SOURCE, "SOURCE"), find_versions(filter_string))
for order in [["version_number"], ["name DESC", "version_number DESC"], ["creation_timestamp"], ["stage"]]:
    call(f"search versions by {order}", find_versions(order_by=order))
call("pages of versions", lambda: pages(client.search_model_versions, max_results=2, order_by=["version_number"]))

call("rename", lambda: client.rename_registered_model("m", "renamed"))
call("rename to another", lambda: client.rename_registered_model("renamed", "copy"))
call("rename nobody", lambda: client.rename_registered_model("nobody", "x"))
call("rename to a bad name", lambda: client.rename_registered_model("renamed", "a/b"))
call("get old name", lambda: client.get_registered_model("m"))
call("get by alias", lambda: client.get_model_version_by_alias("renamed", "champion"))
call("delete version", lambda: client.delete_model_version("renamed", "1"))
call("delete version again", lambda: client.delete_model_version("renamed", "1"))
call("get version 1", lambda: client.get_model_version("renamed", "1"))
call("get", lambda: client.get_registered_model("renamed"))
call("create version", lambda: client.create_model_version("renamed", SOURCE))
# Here a server that serves these models wants them out of service first.
call("delete alias", lambda: client.delete_registered_model_alias("renamed", "champion"))
for version in ["3", "4", "2"]:
    call(f"archive {version}", move(version, "Archived", name="renamed"))
call("delete", lambda: client.delete_registered_model("renamed"))
call("delete again", lambda: client.delete_registered_model("renamed"))
call("get", lambda: client.get_registered_model("renamed"))
call("search versions", find_versions("name = 'renamed'"))
call("create again", lambda: client.create_registered_model("renamed"))
call("get", lambda: client.get_registered_model("renamed"))

print(json.dumps(results))
