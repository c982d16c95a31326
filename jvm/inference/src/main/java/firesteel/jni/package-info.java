/**
 * The boundary to the native library: one Java class per native type. Used by the Spark module and
 * by {@link firesteel.inference}; what crosses here may change with any version.
 */
package firesteel.jni;
