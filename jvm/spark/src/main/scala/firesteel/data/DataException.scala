package firesteel.data

/**
 * A DataFrame that does not fit the model: a column that is missing or of the wrong type, or a row
 * with a null, a wrong length, NaN, or a label out of range.
 *
 * The message names the column (and partition and row), what was expected, what came, what to do.
 */
final class DataException(message: String) extends IllegalArgumentException(message)
