package firesteel.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ExportsTest {
  @Test
  void everyNativeMethodHasASymbolAndEverySymbolAMethod() throws Exception {
    Set<String> declared = declared();
    assertFalse(declared.isEmpty());
    assertEquals(declared, exported());
  }

  @Test
  void noNativeMethodIsVisibleOutsideItsClass() throws Exception {
    for (Class<?> type : types()) {
      for (Method method : type.getDeclaredMethods()) {
        if (Modifier.isNative(method.getModifiers())) {
          assertEquals(
              Modifier.PRIVATE | Modifier.STATIC | Modifier.NATIVE,
              method.getModifiers(),
              method.toString());
        }
      }
    }
  }

  private static Set<String> declared() throws Exception {
    Set<String> names = new TreeSet<>();
    for (Class<?> type : types()) {
      for (Method method : type.getDeclaredMethods()) {
        if (Modifier.isNative(method.getModifiers())) {
          names.add("Java_firesteel_jni_" + type.getSimpleName() + "_" + method.getName());
        }
      }
    }
    return names;
  }

  private static Set<Class<?>> types() throws URISyntaxException, IOException {
    Path classes =
        Path.of(NativeLibrary.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.list(classes.resolve("firesteel/jni"))) {
      return files
          .map(path -> path.toFile().getName())
          .filter(name -> name.endsWith(".class") && !name.startsWith("package-info"))
          .map(name -> type("firesteel.jni." + name.substring(0, name.indexOf('.'))))
          .collect(Collectors.toSet());
    }
  }

  private static Class<?> type(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  /** Names in the library's string tables. */
  private static Set<String> exported() throws IOException {
    byte[] library = Files.readAllBytes(new File(property()).toPath());
    String text = new String(library, StandardCharsets.ISO_8859_1);
    return Pattern.compile("Java_firesteel_jni_\\w+")
        .matcher(text)
        .results()
        .map(MatchResult::group)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String property() {
    return System.getProperty("firesteel.test.library");
  }
}
