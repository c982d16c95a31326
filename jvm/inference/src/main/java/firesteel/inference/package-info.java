/** Serving in plain Java: no Spark, no Scala, nothing to install. */
package firesteel.inference;
