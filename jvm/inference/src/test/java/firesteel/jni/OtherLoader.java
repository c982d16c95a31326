package firesteel.jni;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The library's classes once more, in a class loader of their own, with settings of their own. */
final class OtherLoader implements AutoCloseable {
  private final URLClassLoader loader;

  /** Resources in {@code before} hide those of the jar. */
  OtherLoader(Path... before) throws MalformedURLException {
    List<URL> path = new ArrayList<>();
    for (Path directory : before) {
      path.add(directory.toUri().toURL());
    }
    path.add(NativeLibrary.class.getProtectionDomain().getCodeSource().getLocation());
    loader = new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
  }

  /** What a static method of {@link NativeLibrary} without arguments returns there. */
  Object library(String method) throws ReflectiveOperationException {
    return type("firesteel.jni.NativeLibrary").getMethod(method).invoke(null);
  }

  /** The message of the exception it throws instead. */
  String libraryFailure(String method) throws ReflectiveOperationException {
    try {
      library(method);
    } catch (InvocationTargetException e) {
      String type = e.getCause().getClass().getName();
      if (type.equals("firesteel.NativeLoadException")) {
        return e.getCause().getMessage();
      }
      throw e;
    }
    throw new AssertionError("expected an exception, got none");
  }

  Class<?> type(String name) throws ClassNotFoundException {
    return loader.loadClass(name);
  }

  @Override
  public void close() throws IOException {
    loader.close();
  }

  /** Runs with a system property set, and puts the old value back. */
  static void withProperty(String name, Object value, Action action) throws Exception {
    String old = System.getProperty(name);
    System.setProperty(name, value.toString());
    try {
      action.run();
    } finally {
      if (old == null) {
        System.clearProperty(name);
      } else {
        System.setProperty(name, old);
      }
    }
  }

  /** Anything that may throw. */
  interface Action {
    void run() throws Exception;
  }
}
