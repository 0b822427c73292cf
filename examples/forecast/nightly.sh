#!/bin/sh
# One night: sh nightly.sh <folder>. Makes the rows of the next day, their forecasts and the orders in that folder.
# Run it again if it was stopped: the forecasts go on where they were.
set -eu
here=$(dirname "$0")
mkdir -p "$1"
# A night that is run again keeps its rows, as the forecasts belong to them.
if [ ! -f "$1/rows.csv" ]; then
  node "$here/rows.mjs" "$here/data/sales.csv" >"$1/rows.new"
  mv "$1/rows.new" "$1/rows.csv"
fi
# The output is there when all rows are done. 3 says that some were bad; the orders name them.
if [ ! -f "$1/forecast.csv" ]; then
  npx ternion batch demand "$1/rows.csv" "$1/forecast.csv" --repository "$here/models" || [ $? -eq 3 ]
fi
node "$here/orders.mjs" "$1/rows.csv" "$1/forecast.csv" | tee "$1/orders.txt"
