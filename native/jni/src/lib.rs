//! The JNI exports of firesteel: every unsafe line between the JVM and the engine.
//!
//! One file per Java class of the package `firesteel.jni`. Every export goes through
//! [`guard::guard`], so that an error or a panic becomes a Java exception ([`exceptions`]); native
//! objects are named by checked handles ([`handle`]), never by addresses. The Java side documents
//! what the calls mean.

mod buffer;
mod convert;
mod dataset;
mod exceptions;
mod guard;
mod handle;
mod histogram;
mod library;
mod model;
mod optimizer;
mod predictor;
mod worker;
