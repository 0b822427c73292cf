import asyncio

from calls import DIGIT, DIGIT_FILE, NAMED, URL, report
from huggingface_hub import AsyncInferenceClient, InferenceClient


def client(path):
    return InferenceClient(f"{URL}{path}", token="any")


async def classify():
    other = AsyncInferenceClient(f"{URL}/hf/digits", token="any")
    return (await other.image_classification(DIGIT))[0].label


table = {name: [str(value)] for name, value in NAMED.items()}

report(
    {
        "image_classification of a path": lambda: client("/hf/digits").image_classification(str(DIGIT_FILE))[0].label,
        "image_classification, top_k": lambda: [
            each.label for each in client("/models/digits").image_classification(DIGIT, top_k=2)
        ],
        "async": lambda: asyncio.run(classify()),
        "text_classification": lambda: len(client("/hf/bert-sentiment").text_classification("a text")),
        "feature_extraction": lambda: client("/hf/sentence-mean").feature_extraction("a text").shape,
        "feature_extraction, dimensions": lambda: client("/hf/sentence-mean")
        .feature_extraction("a text", dimensions=4)
        .shape,
        "tabular_classification": lambda: client("/hf/iris").tabular_classification(table),
        "unknown model": lambda: client("/hf/rose").text_classification("a text"),
        "another task": lambda: client("/hf/digits").zero_shot_image_classification(
            DIGIT, candidate_labels=["one", "two"]
        ),
        "sentence_similarity": lambda: client("/hf/sentence-mean").sentence_similarity("a", ["b"]),
    }
)
