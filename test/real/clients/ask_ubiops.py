import ubiops
from calls import NAMED, TEXTS, URL, report

configuration = ubiops.Configuration(host=f"{URL}/v2.1", api_key={"Authorization": "Token any"})
client = ubiops.CoreApi(ubiops.ApiClient(configuration))


def names(found):
    return [each.name for each in found]


def fields(found):
    return [[each.name, each.data_type] for each in found]


report(
    {
        "request": lambda: client.deployment_requests_create("p", "iris", NAMED).result,
        "requests": lambda: len(client.deployment_requests_create("p", "iris", [NAMED, NAMED]).result),
        "texts": lambda: len(client.deployment_requests_create("p", "bert-sentiment", [{"text": text} for text in TEXTS]).result),
        "request of a version": lambda: client.deployment_version_requests_create("p", "iris", "1", NAMED).version,
        "request that fails": lambda: client.deployment_requests_create("p", "iris", {"features": [1.0]}).status,
        "request to an unknown deployment": lambda: client.deployment_requests_create("p", "rose", NAMED),
        "service_status": lambda: client.service_status().status,
        "projects_list": lambda: names(client.projects_list()),
        "projects_get": lambda: client.projects_get("mine").name,
        "deployments_list": lambda: names(client.deployments_list("p")),
        "deployments_list by label": lambda: names(client.deployments_list("p", labels="team:a")),
        "deployments_get": lambda: [
            client.deployments_get("p", "blue").default_version,
            fields(client.deployments_get("p", "iris").input_fields)[0],
            fields(client.deployments_get("p", "iris").output_fields),
        ],
        "deployments_get, unknown": lambda: client.deployments_get("p", "rose"),
        "deployment_versions_list": lambda: [
            [each.version, each.default, each.status] for each in client.deployment_versions_list("p", "iris")
        ],
        "deployment_versions_get": lambda: client.deployment_versions_get("p", "iris", "1").default,
        "deployment_versions_get, unknown": lambda: client.deployment_versions_get("p", "iris", "9"),
        "pipelines_list": lambda: names(client.pipelines_list("p")),
        "pipelines_get": lambda: client.pipelines_get("p", "iris").default_version,
        "pipeline_versions_list": lambda: [each.version for each in client.pipeline_versions_list("p", "iris")],
        "pipeline_versions_get": lambda: client.pipeline_versions_get("p", "iris", "2").default,
        "pipeline request": lambda: client.pipeline_requests_create("p", "iris", NAMED, timeout=60).result,
        "pipeline request of a version": lambda: client.pipeline_version_requests_create(
            "p", "iris", "1", NAMED
        ).version,
        "pipeline request, unknown": lambda: client.pipeline_requests_create("p", "rose", NAMED),
        "batch": lambda: client.batch_deployment_requests_create("p", "iris", [NAMED]),
        "list of requests": lambda: client.deployment_requests_list("p", "iris"),
        "batch of a pipeline": lambda: client.batch_pipeline_requests_create("p", "iris", [NAMED]),
    }
)
