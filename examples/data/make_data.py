"""Makes houses.csv and photo.jpg, the samples of docs/models.md: python examples/data/make_data.py

The houses are invented, with prices that follow from their columns and some chance. The photo is drawn. It needs Pillow.
"""

import csv
import random
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent
CITIES = {"Bern": 1.5, "Lima": 0.6, "Oslo": 1.3, "Rome": 1.0}


def make_houses(count):
    chance = random.Random(7)
    for _ in range(count):
        city = chance.choice(sorted(CITIES))
        area = round(chance.uniform(30, 220), 1)
        rooms = max(1, round(area / 28 + chance.uniform(-1, 1.5)))
        year = chance.randint(1900, 2024)
        garden = "yes" if chance.random() < area / 250 else "no"
        worth = (area * 2.2 + rooms * 9 + (year - 1900) * 0.6 + (garden == "yes") * 40) * CITIES[city]
        price = round(worth * chance.uniform(0.92, 1.08), 1)
        yield [city, area, rooms, year, garden, price, "dear" if price > 400 else "cheap"]


def draw_photo():
    image = Image.new("RGB", (320, 240), (150, 195, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 170, 320, 240), fill=(95, 150, 75))
    draw.rectangle((95, 95, 225, 200), fill=(200, 110, 80))
    draw.polygon(((80, 95), (160, 35), (240, 95)), fill=(110, 60, 45))
    draw.rectangle((145, 145, 175, 200), fill=(75, 50, 35))
    for left in (108, 190):
        draw.rectangle((left, 115, left + 22, 137), fill=(235, 235, 200))
    draw.ellipse((255, 20, 295, 60), fill=(250, 215, 80))
    return image


if __name__ == "__main__":
    with open(FOLDER / "houses.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["city", "area", "rooms", "year", "garden", "price", "level"])
        rows.writerows(make_houses(240))
    draw_photo().save(FOLDER / "photo.jpg", quality=85)
