package firesteel.jni;

import java.io.Serializable;

/**
 * How numbers are distributed, in the buckets of TensorFlow's histograms; numbers that are not
 * finite are left out.
 *
 * @param min least number; 0 if there is none
 * @param max greatest number; 0 if there is none
 * @param num how many numbers there are
 * @param sum their sum, added in their order
 * @param sumSquares the sum of their squares
 * @param lows of the buckets that are not empty, rising: the least number of each
 * @param highs what all numbers of each bucket are below
 * @param counts how many numbers each bucket has
 */
public record Histogram(
    double min,
    double max,
    double num,
    double sum,
    double sumSquares,
    double[] lows,
    double[] highs,
    double[] counts)
    implements Serializable {}
