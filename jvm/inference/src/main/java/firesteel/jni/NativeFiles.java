package firesteel.jni;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the native files: in a directory that is named by a setting, else unpacked from the jar
 * once per host.
 *
 * <p>Settings, a system property before its environment variable:
 *
 * <ul>
 *   <li>{@code firesteel.native.path}, {@code FIRESTEEL_NATIVE}: directory that already holds the
 *       files; nothing is unpacked.
 *   <li>{@code firesteel.native.dir}, {@code FIRESTEEL_NATIVE_DIR}: directory to unpack below; 95
 *       MB, writable, not mounted {@code noexec}. Default: {@code java.io.tmpdir}.
 * </ul>
 *
 * <p>The files go into {@code <dir>/firesteel-<digest>}, so JVMs of one host share them and
 * versions do not collide. A directory that belongs to another user is not trusted: code is loaded
 * from it.
 */
final class NativeFiles {
  static final String LIBRARY = "libfiresteel.so";
  static final String ONEDNN = "libdnnl.so.3";

  /** In the order of unpacking: when the library is there, so is what it opens. */
  private static final List<String> NAMES = List.of("libgomp.so.1", ONEDNN, LIBRARY);

  private static final String RESOURCES = "/firesteel/native/linux-x86_64/";

  private static final Set<PosixFilePermission> EVERYONE_RUNS =
      PosixFilePermissions.fromString("rwxr-xr-x");

  private NativeFiles() {}

  /** The directory that holds the native files; unpacks them if need be. */
  static Path directory() throws IOException {
    Optional<String> given = setting("firesteel.native.path", "FIRESTEEL_NATIVE");
    if (given.isPresent()) {
      Path directory = Path.of(given.get());
      if (!Files.isRegularFile(directory.resolve(LIBRARY))) {
        throw new IOException(
            ("firesteel.native.path: expected a directory with %s, got %s. Correct the setting, or"
                    + " remove it to use the files in the jar")
                .formatted(LIBRARY, directory));
      }
      return directory.toRealPath();
    }
    return unpack();
  }

  /** The directory below which files are unpacked. */
  static Path base() {
    return Path.of(
        setting("firesteel.native.dir", "FIRESTEEL_NATIVE_DIR")
            .orElseGet(() -> System.getProperty("java.io.tmpdir")));
  }

  private static Optional<String> setting(String property, String variable) {
    return Optional.ofNullable(System.getProperty(property))
        .or(() -> Optional.ofNullable(System.getenv(variable)))
        .filter(value -> !value.isBlank());
  }

  private static Path unpack() throws IOException {
    if (resource(LIBRARY) == null) {
      throw new IOException(
          ("expected %s%s on the class path, got nothing. Use the released jar, or set"
                  + " -Dfiresteel.native.path to a directory with %s")
              .formatted(RESOURCES, LIBRARY, NAMES));
    }
    Path directory = trustedDirectory("firesteel-" + digest().substring(0, 16));
    for (String name : NAMES) {
      URL source = resource(name);
      if (source != null) {
        unpack(source, directory.resolve(name));
      }
    }
    return directory.toRealPath();
  }

  private static Path trustedDirectory(String name) throws IOException {
    Path base = Files.createDirectories(base());
    Path shared = base.resolve(name);
    if (isTrusted(shared)) {
      return shared;
    }
    Path own = base.resolve(name + "-" + owner(Path.of("/proc/self")));
    if (isTrusted(own)) {
      return own;
    }
    throw new IOException(
        ("expected %s to be a directory that belongs to this user and that no one else can write,"
                + " got another one. Remove it, or set -Dfiresteel.native.dir to a private"
                + " directory")
            .formatted(own));
  }

  /** Creates the directory if it is not there; true if no other user could have put files in it. */
  private static boolean isTrusted(Path directory) throws IOException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      Path fresh = Files.createTempDirectory(directory.getParent(), "firesteel-");
      Files.setPosixFilePermissions(fresh, EVERYONE_RUNS);
      try {
        Files.move(fresh, directory, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException anotherJvmWasFaster) {
        Files.deleteIfExists(fresh);
      }
    }
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    Object owner = owner(directory);
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(directory);
    return (owner.equals(owner(Path.of("/proc/self"))) || owner.equals(0))
        && !permissions.contains(PosixFilePermission.GROUP_WRITE)
        && !permissions.contains(PosixFilePermission.OTHERS_WRITE);
  }

  private static Object owner(Path path) throws IOException {
    return Files.getAttribute(path, "unix:uid");
  }

  /** Writes a file that is not there yet, or not whole, under another name and renames it. */
  private static void unpack(URL source, Path target) throws IOException {
    URLConnection connection = source.openConnection();
    connection.setUseCaches(false);
    try (InputStream content = connection.getInputStream()) {
      long expected = connection.getContentLengthLong();
      if (Files.isRegularFile(target) && Files.size(target) == expected) {
        return;
      }
      Path partial = Files.createTempFile(target.getParent(), target.getFileName().toString(), "");
      try {
        Files.copy(content, partial, StandardCopyOption.REPLACE_EXISTING);
        Files.setPosixFilePermissions(partial, EVERYONE_RUNS);
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(partial);
      }
    }
  }

  private static URL resource(String name) {
    return NativeFiles.class.getResource(RESOURCES + name);
  }

  /** The digest the build wrote beside the files; computed if the classes were built without it. */
  private static String digest() throws IOException {
    try (InputStream written = NativeFiles.class.getResourceAsStream(RESOURCES + "digest")) {
      if (written != null) {
        return new String(written.readAllBytes(), StandardCharsets.US_ASCII).strip();
      }
    }
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    for (String name : NAMES) {
      URL source = resource(name);
      if (source != null) {
        try (InputStream content = new DigestInputStream(source.openStream(), sha256)) {
          content.transferTo(java.io.OutputStream.nullOutputStream());
        }
      }
    }
    return HexFormat.of().formatHex(sha256.digest());
  }
}
