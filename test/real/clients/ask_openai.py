from calls import URL, report
from openai import OpenAI

client = OpenAI(base_url=f"{URL}/v1", api_key="any", max_retries=0)

report(
    {
        "models.list": lambda: [each.id for each in client.models.list()],
        "models.retrieve": lambda: client.models.retrieve("iris").id,
        "models.retrieve, unknown": lambda: client.models.retrieve("rose"),
        "embeddings": lambda: client.embeddings.create(model="sentence-mean", input="a text"),
        "chat": lambda: client.chat.completions.create(
            model="iris", messages=[{"role": "user", "content": "hello"}]
        ),
    }
)
