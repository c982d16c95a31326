package firesteel.jni;

import firesteel.NativeLoadException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;

/**
 * The native library of this class loader: loaded once, at first use.
 *
 * <p>If it cannot be loaded, the reason is kept and every later use throws it again as a {@link
 * NativeLoadException}. If only oneDNN cannot be loaded, the plain kernels do its work, after one
 * warning to the logger {@code firesteel}.
 */
public final class NativeLibrary {
  private static final Object LOCK = new Object();

  private static volatile boolean loaded;
  private static NativeLoadException failure;
  private static String status;

  private NativeLibrary() {}

  /**
   * Loads the library, if that has not been done.
   *
   * @throws NativeLoadException if it cannot be loaded; the message says what to do
   */
  public static void load() {
    if (loaded) {
      return;
    }
    synchronized (LOCK) {
      if (failure != null) {
        throw new NativeLoadException(failure.getMessage(), failure);
      }
      if (!loaded) {
        try {
          status = loadFirst();
          loaded = true;
        } catch (NativeLoadException e) {
          failure = e;
          throw e;
        }
      }
    }
  }

  /** Version of the library, equal to that of the jar. */
  public static String version() {
    load();
    return version0();
  }

  /**
   * What computes: {@code oneDNN 3.11.0 avx512_core_bf16}, or {@code plain kernels: } and the
   * reason why oneDNN is not used.
   */
  public static String status() {
    load();
    return status;
  }

  private static String loadFirst() {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!system.equals("Linux amd64")) {
      throw unusable("expected Linux amd64, got " + system, "Run on Linux on x86_64", null);
    }
    Path directory;
    try {
      directory = NativeFiles.directory();
      link(directory.resolve(NativeFiles.LIBRARY));
    } catch (IOException e) {
      throw unusable(
          e.toString(),
          "If a directory cannot be written, set -Dfiresteel.native.dir or FIRESTEEL_NATIVE_DIR to"
              + " one with 100 MB of room",
          e);
    } catch (UnsatisfiedLinkError e) {
      throw unusable(e.getMessage(), remedy(String.valueOf(e.getMessage())), e);
    }
    checkVersion(directory);
    String status = initialize0(directory.resolve(NativeFiles.ONEDNN).toString());
    if (status.startsWith("plain kernels")) {
      System.getLogger("firesteel")
          .log(System.Logger.Level.WARNING, "firesteel computes slower, with " + status);
    }
    return status;
  }

  /**
   * A JVM links a file to one class loader only; the second one gets a copy under a name of its
   * own, which can be removed as soon as it is mapped.
   */
  private static void link(Path library) throws IOException {
    try {
      System.load(library.toString());
    } catch (UnsatisfiedLinkError e) {
      if (!String.valueOf(e.getMessage()).contains("already loaded in another classloader")) {
        throw e;
      }
      Path base = Files.createDirectories(NativeFiles.base());
      Path copy = Files.createTempFile(base, "libfiresteel-", ".so");
      try {
        Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
        System.load(copy.toString());
      } finally {
        Files.deleteIfExists(copy);
      }
    }
  }

  private static void checkVersion(Path directory) {
    String expected = jarVersion();
    String got;
    try {
      got = version0();
    } catch (UnsatisfiedLinkError e) {
      got = "one without a version";
    }
    if (!expected.equals(got)) {
      throw unusable(
          "expected library version %s, that of the jar, got %s in %s"
              .formatted(expected, got, directory),
          "Let firesteel.native.path point to files of the jar's version, or remove the setting",
          null);
    }
  }

  private static String jarVersion() {
    Properties properties = new Properties();
    try (InputStream in =
        NativeLibrary.class.getResourceAsStream("/firesteel/version.properties")) {
      properties.load(in);
    } catch (IOException | NullPointerException e) {
      throw unusable("expected firesteel/version.properties in the jar", "Use a released jar", e);
    }
    return properties.getProperty("version");
  }

  static String remedy(String message) {
    if (message.contains("failed to map segment") || message.contains("Operation not permitted")) {
      return "The directory is mounted noexec: set -Dfiresteel.native.dir or FIRESTEEL_NATIVE_DIR"
          + " to one that is not";
    }
    if (message.contains("GLIBC") || message.contains("symbol not found")) {
      return "The C library is too old or is musl: use an image with glibc 2.34 or newer (Debian"
          + " 12, Ubuntu 22.04, RHEL 9)";
    }
    return "Set -Dfiresteel.native.path to a directory with files that fit this machine";
  }

  private static NativeLoadException unusable(String reason, String remedy, Throwable cause) {
    return new NativeLoadException("native library: " + reason + ". " + remedy + ".", cause);
  }

  private static native String version0();

  private static native String initialize0(String onednn);
}
