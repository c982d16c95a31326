package firesteel.summary

import java.io.IOException

/** An event file that is not one, or cannot be written. */
final class SummaryException(message: String) extends IOException(message)
