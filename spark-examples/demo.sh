#!/usr/bin/env bash
# Trains LeNet-5 on Spark with the shaded jar, then asks a plain Java process for the same
# predictions. Arguments go to the training program; MASTER sets Spark's master.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
master=${MASTER:-local[*]}
data=spark-examples/data/fashion-mnist
output=target/lenet5
args=("$@")
for ((i = 0; i + 1 < ${#args[@]}; i++)); do
  case ${args[i]} in
    --data) data=${args[i + 1]} ;;
    --output) output=${args[i + 1]} ;;
  esac
done

spark_home=$("$python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
# Everything stays on this machine, so its loopback address is the right one.
SPARK_LOCAL_IP=127.0.0.1 SPARK_HOME=$spark_home "$spark_home/bin/spark-submit" \
  --master "$master" --driver-memory 2g \
  --conf spark.ui.enabled=false \
  --driver-java-options "-Dlog4j2.configurationFile=file:$PWD/spark-examples/log4j2.properties" \
  --jars jvm/spark/target/firesteel-spark_2.13.jar \
  --class firesteel.examples.LeNetFashionMnist \
  spark-examples/target/firesteel-examples_2.13.jar --data "$data" --output "$output" "$@"

[ -f "$data/t10k-images-idx3-ubyte.gz" ] || exit 0
java -cp jvm/inference/target/firesteel-inference.jar:spark-examples/target/firesteel-examples_2.13.jar \
  firesteel.examples.PredictWithoutSpark \
  "$output/lenet5.safetensors" "$data" "$output/predictions.txt"
