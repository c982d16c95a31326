package firesteel.jni;

import static firesteel.jni.OtherLoader.withProperty;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  private static final Path BASE = Path.of(System.getProperty("firesteel.native.dir"));
  private static final Path BUILT = Path.of(System.getProperty("firesteel.test.library"));

  @TempDir Path temp;

  @Test
  void theLibraryHasTheVersionOfTheJar() {
    assertEquals("0.1.0", NativeLibrary.version());
  }

  @Test
  void oneDnnOfTheJarComputes() {
    assertTrue(NativeLibrary.status().startsWith("oneDNN 3."), NativeLibrary.status());
  }

  @Test
  void theFilesAreUnpackedOnceAndShared() throws Exception {
    NativeLibrary.load();
    Map<Path, Long> before = files(BASE);
    assertEquals(3, before.size(), before.toString());
    try (OtherLoader other = new OtherLoader()) {
      other.library("load");
    }
    assertEquals(before, files(BASE));
  }

  @Test
  void aSecondClassLoaderHasTheLibraryToo() throws Exception {
    NativeLibrary.load();
    try (OtherLoader second = new OtherLoader();
        OtherLoader third = new OtherLoader()) {
      for (OtherLoader other : List.of(second, third)) {
        assertEquals("0.1.0", other.library("version"));
        assertEquals(NativeLibrary.status(), other.library("status"));
        Object buffer =
            other.type("firesteel.jni.NativeBuffer").getConstructor(long.class).newInstance(8L);
        assertEquals(8L, buffer.getClass().getMethod("bytes").invoke(buffer));
        buffer.getClass().getMethod("close").invoke(buffer);
      }
    }
  }

  @Test
  void aTruncatedFileIsUnpackedAnew() throws Exception {
    withProperty(
        "firesteel.native.dir",
        temp,
        () -> {
          Path library = NativeFiles.directory().resolve(NativeFiles.LIBRARY);
          Files.write(library, new byte[10]);
          assertEquals(library.getParent(), NativeFiles.directory());
          assertEquals(Files.size(BUILT), Files.size(library));
        });
  }

  @Test
  void aDirectoryThatOthersCanWriteIsNotTrusted() throws Exception {
    withProperty(
        "firesteel.native.dir",
        temp,
        () -> {
          Path first = NativeFiles.directory();
          Files.setPosixFilePermissions(first, PosixFilePermissions.fromString("rwxrwxrwx"));
          Path second = NativeFiles.directory();
          assertTrue(second.toString().startsWith(first + "-"), second.toString());
        });
  }

  @Test
  void theReasonOfAFailedLoadIsShownAtEveryUse() throws Exception {
    try (OtherLoader other = new OtherLoader()) {
      withProperty(
          "firesteel.native.path",
          temp,
          () -> {
            String message = other.libraryFailure("load");
            assertTrue(message.contains("expected a directory with libfiresteel.so"), message);
            assertTrue(message.contains("Correct the setting"), message);
          });
      assertEquals(other.libraryFailure("load"), other.libraryFailure("status"));
    }
  }

  @Test
  void aFileThatIsNoLibraryIsNamed() throws Exception {
    Files.writeString(temp.resolve("libfiresteel.so"), "not a library");
    withProperty(
        "firesteel.native.path",
        temp,
        () -> {
          try (OtherLoader other = new OtherLoader()) {
            String message = other.libraryFailure("load");
            assertTrue(message.contains(temp.toString()), message);
            assertTrue(message.contains("files that fit this machine"), message);
          }
        });
  }

  @Test
  void aLibraryOfAnotherVersionIsRefused() throws Exception {
    Path properties = temp.resolve("firesteel/version.properties");
    Files.createDirectories(properties.getParent());
    Files.writeString(properties, "version=9.9.9");
    try (OtherLoader other = new OtherLoader(temp)) {
      String message = other.libraryFailure("load");
      assertTrue(message.contains("expected library version 9.9.9"), message);
      assertTrue(message.contains("got 0.1.0"), message);
    }
  }

  @Test
  void withoutOneDnnThePlainKernelsCompute() throws Exception {
    Files.copy(BUILT, temp.resolve("libfiresteel.so"));
    withProperty(
        "firesteel.native.path",
        temp,
        () -> {
          try (OtherLoader other = new OtherLoader()) {
            String status = (String) other.library("status");
            assertTrue(status.startsWith("plain kernels: "), status);
            assertTrue(status.contains("libdnnl.so.3"), status);
          }
        });
  }

  @Test
  void theRemedyFitsTheLoadersWords() {
    assertTrue(
        NativeLibrary.remedy("libfiresteel.so: failed to map segment from shared object")
            .contains("noexec"));
    assertTrue(
        NativeLibrary.remedy("/lib/libc.so.6: version `GLIBC_2.34' not found").contains("glibc"));
    assertTrue(
        NativeLibrary.remedy("Error relocating libfiresteel.so: __res_init: symbol not found")
            .contains("musl"));
  }

  /** Every file below a directory, with its time of change. */
  private static Map<Path, Long> files(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.filter(Files::isRegularFile)
          .collect(
              Collectors.toMap(
                  path -> path, path -> path.toFile().lastModified(), (a, b) -> a, TreeMap::new));
    }
  }
}
