//! The sandbox image: built on first use from files that the tool carries, and tagged by their hash.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::sandbox::docker::{command, docker};
use crate::sandbox::{Event, Watch, labels};

/// The build context, file by file.
const FILES: [(&str, &str); 15] = [
    ("Dockerfile", include_str!("Dockerfile")),
    ("agent.rs", include_str!("agent.rs")),
    ("agent/ask.rs", include_str!("agent/ask.rs")),
    ("agent/engine.rs", include_str!("agent/engine.rs")),
    ("agent/interrupt.rs", include_str!("agent/interrupt.rs")),
    ("agent/output.rs", include_str!("agent/output.rs")),
    ("agent/processes.rs", include_str!("agent/processes.rs")),
    ("agent/shell.rs", include_str!("agent/shell.rs")),
    ("agent/system.rs", include_str!("agent/system.rs")),
    ("agent/unpack.rs", include_str!("agent/unpack.rs")),
    ("engine.sh", include_str!("engine.sh")),
    ("mesh.sh", include_str!("mesh.sh")),
    ("sudo.sh", include_str!("sudo.sh")),
    ("token.rs", include_str!("token.rs")),
    ("wire.rs", include_str!("wire.rs")),
];

/// The image's tag for a base image: the same files on the same base give the same tag.
pub fn tag(base_image: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(base_image);
    for (name, text) in FILES {
        hash.update([0]);
        hash.update(name);
        hash.update([0]);
        hash.update(text);
    }
    format!("mdbook-rehearse/sandbox:{}", short(hash))
}

/// As much of a hash as a name needs: twelve hexadecimal digits.
pub(crate) fn short(hash: Sha256) -> String {
    let hash = hash.finalize();
    hash.iter().take(6).map(|it| format!("{it:02x}")).collect()
}

/// Whether the outer engine has an image of this tag.
pub(crate) async fn is_there(tag: &str) -> bool {
    docker(&["image", "inspect", "--format", "{{.Id}}", tag])
        .await
        .is_ok()
}

/// Makes sure that the image is there, and gives its tag.
pub(crate) async fn ensure(base_image: &str, watch: Watch<'_>) -> Result<String> {
    let tag = tag(base_image);
    if is_there(&tag).await {
        return Ok(tag);
    }
    watch(Event::ImageBuild {
        line: format!("sandbox image `{tag}` on `{base_image}`, once for this version"),
    });
    build(base_image, &tag, watch).await.with_context(|| {
        format!(
            "failed to build the sandbox image on `{base_image}`; it needs Debian's packages, and a registry or a \
             local image for the base (`base-image` in book.toml names another)"
        )
    })?;
    Ok(tag)
}

async fn build(base_image: &str, tag: &str, watch: Watch<'_>) -> Result<()> {
    let context = context()?;
    let base = format!("BASE={base_image}");
    let label = format!("{}=image", labels::MANAGED);
    let arguments = [
        "build",
        "--force-rm",
        "--tag",
        tag,
        "--label",
        &label,
        "--build-arg",
        &base,
        "-",
    ];
    let mut child = command(&arguments)
        // Plain lines from BuildKit too.
        .env("BUILDKIT_PROGRESS", "plain")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start `docker build`")?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        bail!("`docker build` has no pipes");
    };
    // Some builders write to one, some to the other.
    let mut out = BufReader::new(stdout).lines();
    let mut err = BufReader::new(stderr).lines();
    stdin
        .write_all(&context)
        .await
        .context("`docker build` did not read its context")?;
    drop(stdin);
    let mut last_lines: Vec<String> = Vec::new();
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        let line = tokio::select! {
            line = out.next_line(), if out_open => line.inspect(|it| out_open = it.is_some()),
            line = err.next_line(), if err_open => line.inspect(|it| err_open = it.is_some()),
        };
        if let Some(line) = line.context("failed to read from `docker build`")? {
            watch(Event::ImageBuild { line: line.clone() });
            last_lines.push(line);
            if last_lines.len() > 20 {
                last_lines.remove(0);
            }
        }
    }
    let status = child
        .wait()
        .await
        .context("failed to wait for `docker build`")?;
    if !status.success() {
        bail!("`docker build` failed:\n{}", last_lines.join("\n"));
    }
    Ok(())
}

/// The build context as a tar stream, the same bytes every time.
fn context() -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in FILES {
        append(&mut archive, name, text.as_bytes())?;
    }
    archive
        .into_inner()
        .context("failed to make the build context")
}

/// Adds a plain file, without owner or time.
pub(crate) fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive
        .append_data(&mut header, name, bytes)
        .with_context(|| format!("failed to pack `{name}`"))
}
