package firesteel.train

import firesteel.NativeMemoryException
import firesteel.data.DataException
import firesteel.jni.NativeBuffer
import firesteel.optim.{Adam, Common, SGD}

class TrainerSuite extends TrainingFixture {

  test("a training learns, and measures after each epoch") {
    withSpark("local[2]") { spark =>
      val result = train(spark, settings(epochs = 20))
      assert(result.epochs.map(_.epoch) == (0 until 20))
      assert(result.epochs.forall(_.records == 600))
      assert(result.epochs.last.loss < result.epochs.head.loss / 2)
      val measured = result.epochs.flatMap(_.validation)
      assert(measured.length == 20)
      assert(measured.forall(_.count == 100))
      assert(measured.last.accuracy > 0.85)
    }
  }

  test("the same shards give the same weights on any number of cores and partitions") {
    val hashes = Seq("local[1]", "local[2]", "local[3]").map { master =>
      withSpark(master)(spark => train(spark).epochs.map(_.weightsHash))
    }
    assert(hashes.distinct.length == 1)
    assert(hashes.head.distinct.length == 3)
    withSpark("local[2]") { spark =>
      val other = new Trainer(spark, settings())
        .fit(encoded(rows(spark, partitions = 5).orderBy("x")), None)
      assert(other.weightsHash == hashes.head.last)
    }
  }

  test("another number of shards, or another seed, gives other weights") {
    withSpark("local[2]") { spark =>
      val hashes = Seq(settings(), settings(shards = 3), settings().copy(seed = 8))
        .map(train(spark, _).weightsHash)
      assert(hashes.distinct.length == 3)
    }
  }

  test("a task that fails after its work is done changes nothing") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync).foreach { phase =>
      withSpark("local[2, 3]") { spark =>
        assert(train(spark, probe = new FailOnce(phase, 5)).weightsHash == expected)
      }
    }
  }

  test("grouped iterations are one job and give the weights of iterations one at a time") {
    def grouped(group: String): (Seq[String], Seq[String]) =
      withSpark("local[2]", "spark.firesteel.group" -> group) { spark =>
        val jobs = new JobNames(spark)
        val hashes = train(spark).epochs.map(_.weightsHash)
        spark.stop()
        (hashes, jobs.containing("iteration"))
      }
    val (expected, one) = grouped("1")
    assert(one == (0 until 36).map(n => s"iteration $n"))
    Seq("auto", "3", "50").foreach(group => assert(grouped(group)._1 == expected))
    assert(
      grouped("8")._2 == Seq("iteration 0", "iterations 1 to 8", "iterations 9 to 11") ++
        Seq("iterations 12 to 19", "iterations 20 to 23") ++
        Seq("iterations 24 to 31", "iterations 32 to 35")
    )
  }

  test("a task that fails within a group sends the training back to the group's start") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync).foreach { phase =>
      withSpark("local[2, 3]", "spark.firesteel.group" -> "6") { spark =>
        val jobs = new JobNames(spark)
        val before = NativeBuffer.allocated()
        assert(train(spark, probe = new FailOnce(phase, 5)).weightsHash == expected)
        assert(NativeBuffer.allocated() == before)
        spark.stop()
        assert(jobs.containing("joining") == Seq("joining view 1", "joining view 2"))
      }
    }
  }

  test("gradients of parts of a batch add up to those of the batch") {
    withSpark("local[2]") { spark =>
      val whole = train(spark)
      val parts = train(spark, settings().copy(microBatch = Some(3)))
      assert(parts.weightsHash != whole.weightsHash)
      whole.epochs.zip(parts.epochs).foreach { case (one, other) =>
        assert(math.abs(one.loss - other.loss) < 1e-5)
      }
    }
  }

  test("the model is the average of the weights if the optimizer keeps one") {
    def trained(master: String, decay: Option[Double], exchange: String = "slices"): String =
      withSpark(master, "spark.firesteel.exchange" -> exchange) { spark =>
        val adam = Adam(0.01, common = Common(emaDecay = decay))
        train(spark, settings(optimizer = adam)).weightsHash
      }
    val averaged = trained("local[2]", Some(0.9))
    assert(trained("local[2]", Some(0.0)) == trained("local[2]", None))
    assert(averaged != trained("local[2]", None))
    assert(trained("local-cluster[2,1,1024]", Some(0.9)) == averaged)
    assert(trained("local[2]", Some(0.9), exchange = "shuffle") == averaged)
  }

  test("more shards than rows in a batch, and uneven shards, see every row once") {
    withSpark("local[2]") { spark =>
      val result = new Trainer(spark, settings(shards = 16, batchSize = 5, epochs = 2))
        .fit(encoded(rows(spark, count = 23)), None)
      assert(result.epochs.map(_.records) == Seq(23, 23))
    }
  }

  test("a DataFrame without rows is refused") {
    withSpark("local[2]") { spark =>
      val empty = encoded(rows(spark).where("false"))
      val full = encoded(rows(spark))
      Seq((empty, None), (full, Some(empty))).foreach { case (training, validation) =>
        val e = intercept[DataException](new Trainer(spark, settings()).fit(training, validation))
        assert(e.getMessage.contains("expected rows, got none"))
      }
    }
  }

  test("a loss that is no number any more ends the training and says what to do") {
    withSpark("local[2]") { spark =>
      val wild = settings(optimizer = SGD(learningRate = 3e38), epochs = 5)
      val e = intercept[DivergedException](train(spark, wild))
      assert(e.getMessage.contains("Lower the learning rate"))
    }
  }

  test("a bad row deep in the data is an exception with its column") {
    withSpark("local[2]") { spark =>
      val bad = rows(spark).selectExpr("x", "case when label = 2 then 3 else label end as label")
      val e = intercept[DataException](new Trainer(spark, settings()).fit(encoded(bad), None))
      assert(e.getMessage.contains("column \"label\""))
      assert(e.getMessage.contains("expected a class index 0 to 2, got 3.0"))
    }
  }

  test("native memory is back where it was after every end of a training") {
    withSpark("local[2]") { spark =>
      val before = NativeBuffer.allocated()
      train(spark, settings(epochs = 1))
      assert(NativeBuffer.allocated() == before)
      intercept[DivergedException](train(spark, settings(optimizer = SGD(3e38), epochs = 5)))
      assert(NativeBuffer.allocated() == before)
      intercept[Exception](train(spark, probe = new FailOnce(Phase.ParameterSync, 2)))
      assert(NativeBuffer.allocated() == before)
    }
  }

  test("native memory is accounted to Spark and given back") {
    withSpark(
      "local[2]",
      "spark.memory.offHeap.enabled" -> "true",
      "spark.memory.offHeap.size" -> "64m"
    ) { spark =>
      train(spark, settings(epochs = 1))
      val status = spark.sparkContext.getExecutorMemoryStatus.values
      assert(status.forall { case (most, left) => most - left < (1 << 20) })
    }
  }

  test("too little off-heap memory is an exception that names the setting") {
    withSpark(
      "local[2]",
      "spark.memory.offHeap.enabled" -> "true",
      "spark.memory.offHeap.size" -> "1m"
    ) { spark =>
      val many = encoded(rows(spark, count = 60000))
      val e = intercept[NativeMemoryException](new Trainer(spark, settings()).fit(many, None))
      assert(e.getMessage.contains("Raise spark.memory.offHeap.size"))
    }
  }
}
