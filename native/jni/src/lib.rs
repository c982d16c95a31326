//! JNI exports of firesteel.
