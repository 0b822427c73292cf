import logging

from calls import NAMED, NAMES, ROW, TEXTS, URL, report
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.serving import DataframeSplitInput

warnings = []
handler = logging.Handler()
handler.emit = lambda record: warnings.append(record.getMessage())
logging.getLogger("databricks.sdk").addHandler(handler)

client = WorkspaceClient(host=URL, token="any")
service = WorkspaceClient(host=URL, client_id="any", client_secret="any")
endpoints = client.serving_endpoints

report(
    {
        "warnings at start": lambda: warnings,
        "query, inputs": lambda: endpoints.query("iris", inputs=[ROW]).predictions,
        "query, instances": lambda: endpoints.query("iris", instances=[ROW]).predictions,
        "query, records": lambda: endpoints.query("iris", dataframe_records=[NAMED]).predictions,
        "query, split": lambda: endpoints.query(
            "iris", dataframe_split=DataframeSplitInput(columns=NAMES, data=[ROW])
        ).predictions,
        "query, texts": lambda: len(endpoints.query("bert-sentiment", inputs=TEXTS).predictions),
        "query, served model": lambda: endpoints.query("blue", inputs=[ROW]).served_model_name,
        "query, input": lambda: [
            len(each.embedding) for each in endpoints.query("sentence-mean", input=["a text", "b"]).data
        ],
        "query, input for a table": lambda: endpoints.query("iris", input="a text"),
        "query, unknown": lambda: endpoints.query("rose", inputs=[ROW]),
        "query, wrong": lambda: endpoints.query("iris", inputs=[[1]]),
        "get": lambda: [
            endpoints.get("blue").config.served_entities[0].entity_version,
            endpoints.get("blue").state.ready.value,
        ],
        "list": lambda: [each.name for each in endpoints.list()],
        "get unknown": lambda: endpoints.get("rose"),
        "data plane": lambda: service.serving_endpoints_data_plane.query("iris", inputs=[ROW]).predictions,
        "data plane, twice": lambda: service.serving_endpoints_data_plane.query(
            "iris", instances=[ROW]
        ).predictions,
        "service principal": lambda: service.serving_endpoints.query("iris", inputs=[ROW]).predictions,
        "metrics": lambda: endpoints.export_metrics("iris").contents.read(),
        "description": lambda: endpoints.get_open_api("iris").contents.read(),
    }
)
