package flatfoot;

/**
 * Defined in the boot class loader, only to be on the stack when Thread.start0 is registered again: the JDK warns
 * (jni,resolve) when a class of its own is bound anew by somebody who isn't of the boot loader.
 *
 * <p>Bridge.class beside this file is what javac makes of it; a test compares them:
 * {@code javac --release 8 -g:none -Xlint:-options -d crates/probe/agent/bridge crates/probe/agent/bridge/flatfoot/Bridge.java}
 */
class Bridge {
    static native void bind();

    static void call() {
        bind();
    }
}
