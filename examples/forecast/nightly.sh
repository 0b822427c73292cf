#!/bin/sh
# One night: sh nightly.sh <folder>. Makes the rows of the next day, their forecasts and the orders in that folder. If
# it was stopped, run it again to resume the forecasts.
set -eu
here=$(dirname "$0")
mkdir -p "$1"
# A second run of the same night keeps the rows, because the forecasts belong to them.
if [ ! -f "$1/rows.csv" ]; then
  node "$here/rows.mjs" "$here/data/sales.csv" >"$1/rows.new"
  mv "$1/rows.new" "$1/rows.csv"
fi
# The output is complete when all rows are done. Exit code 3 means that some rows are bad; the orders name them.
if [ ! -f "$1/forecast.csv" ]; then
  npx ternion batch demand "$1/rows.csv" "$1/forecast.csv" --repository "$here/models" || [ $? -eq 3 ]
fi
node "$here/orders.mjs" "$1/rows.csv" "$1/forecast.csv" | tee "$1/orders.txt"
