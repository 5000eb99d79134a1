//! What every chore needs: where things are, and how another program is run.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where the finished site is, which the server reads: always here, wherever cargo builds.
pub(crate) fn site_dir() -> PathBuf {
    root().join("target/site")
}

/// Half-finished products of the build, kept so that unchanged input costs nothing.
pub(crate) fn cache_dir() -> PathBuf {
    root().join("target/xtask")
}

/// Where cargo puts what it builds: `target/`, unless the person's configuration says otherwise.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let metadata = metadata()?;
    let path = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(path))
}

/// The workspace as cargo sees it, our own crates only. Fails where `Cargo.lock` is behind the manifests.
pub(crate) fn metadata() -> Result<serde_json::Value> {
    let text = output(cargo().args(["metadata", "--format-version=1", "--no-deps", "--locked"]))?;
    serde_json::from_str(&text).context("cargo metadata is not JSON")
}

/// The cargo that started us.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program that starts in the root of the repository.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs a program to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", described(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", described(command));
    }
    Ok(())
}

/// Runs a program to its end and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {}", described(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", described(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} wrote no UTF-8", described(command)))
}

/// Runs a program to its end, showing its output and keeping it, so that a summary can quote it.
pub(crate) fn run_and_keep(command: &mut Command) -> Result<String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", described(command)))?;
    let stdout = child.stdout.take().map(|stream| show_and_keep(stream, std::io::stdout()));
    let stderr = child.stderr.take().map(|stream| show_and_keep(stream, std::io::stderr()));
    let status = child.wait().with_context(|| format!("cannot wait for {}", described(command)))?;
    let mut kept = String::new();
    for thread in [stdout, stderr].into_iter().flatten() {
        kept.push_str(&thread.join().unwrap_or_default());
    }
    if !status.success() {
        bail!("{} failed ({status})", described(command));
    }
    Ok(kept)
}

fn show_and_keep(
    stream: impl Read + Send + 'static,
    mut shown: impl Write + Send + 'static,
) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut kept = String::new();
        let mut line = Vec::new();
        let mut stream = BufReader::new(stream);
        while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
            // A closed terminal is no reason to stop reading: the program would block.
            let _ = shown.write_all(&line);
            kept.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        kept
    })
}

/// A command as a person would type it, whole scripts left out.
fn described(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.iter_mut().filter(|word| word.contains('\n')).for_each(|script| *script = "…".into());
    format!("`{}`", words.join(" "))
}

/// Where a program is on `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| [folder.join(name), folder.join(format!("{name}.exe"))])
        .find(|candidate| candidate.is_file())
}

/// Writes a file so that a reader sees the old content or the new, never half of it.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(&beside, content)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Every file below a folder, as paths relative to it, in a stable order. A missing folder has none.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(relative) = waiting.pop() {
        let here = folder.join(&relative);
        if !here.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))? {
            let entry = entry.with_context(|| format!("cannot list {}", here.display()))?;
            let path = relative.join(entry.file_name());
            if entry.path().is_dir() {
                waiting.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Says what comes next. Standard error, so that the output of a program we run can be piped on.
pub(crate) fn say(what: &str) {
    eprintln!("\n==> {what}");
}

/// A moment, to measure how long a chore took.
#[expect(clippy::disallowed_methods, reason = "durations of chores are shown to a person; nothing is decided by them")]
pub(crate) fn moment() -> Instant {
    Instant::now()
}
