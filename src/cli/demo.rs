//! The command `demo`: signs, copies, imports and tampers in a temporary directory, with the same commands that people type.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use clap::Parser as _;

use bulla::envelope::Attachment;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Manifest;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::attach;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::store::Layout;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::time::Time;

use super::args::Cli;
use super::args::Command;
use super::args::DemoArgs;
use super::exit::Exit;
use super::exit::Failure;
use super::render;
use super::runtime::Runtime;
use super::runtime::Work;

/// The program in the image.
const RELEASED_PROGRAM: &[u8] = b"the program that was released\n";

/// The function that runs a command.
pub(super) type Execute = fn(Command) -> Result<Exit, Failure>;

/// One step of the demo: the text before it, the command, and the expected exit code.
type DemoStep = (&'static str, &'static str, Exit);

const STEPS: [DemoStep; 6] = [
    (
        "Make a key pair. In production, do this on a machine without a network.",
        "key new -o release --passphrase-file passphrase",
        Exit::Yes,
    ),
    (
        "Sign the image: its digest, and the name under which it is released.",
        "sign oci:build:v1 --key release.key --passphrase-file passphrase --signed-reference app:1.0",
        Exit::Yes,
    ),
    ("Show what is attached to the image now.", "tree oci:build:v1 --key release.pub", Exit::Yes),
    (
        "Copy the image and its signature into one file, to carry it across the air gap.",
        "copy oci:build:v1 oci-archive:carried.tar:v1",
        Exit::Yes,
    ),
    (
        "On the other side: verify, and import only if that succeeds.",
        "import oci-archive:carried.tar:v1 oci:inside:v1 --key release.pub --signed-reference app:1.0",
        Exit::Yes,
    ),
    (
        "A CI job or a person can verify the image again at any time.",
        "verify oci:inside:v1 --key release.pub --signed-reference app:1.0",
        Exit::Yes,
    ),
];

/// The attacks: the text before each, the change to the image, the command, and the expected exit code.
const ATTACKS: [(&str, Tamper, &str, Exit); 6] = [
    (
        "1. An attacker puts another, unsigned image under the same name.",
        Tamper::OtherImage,
        "import oci:tampered-1:v1 oci:never:v1 --key release.pub --signed-reference app:1.0",
        Exit::Refused,
    ),
    (
        "2. An attacker attaches the signature of the good image to another image.",
        Tamper::MovedSignature,
        "import oci:tampered-2:v1 oci:never:v1 --key release.pub --signed-reference app:1.0",
        Exit::Refused,
    ),
    (
        "3. An attacker signs another image with a key of their own.",
        Tamper::OtherKey,
        "import oci:tampered-3:v1 oci:never:v1 --key release.pub --signed-reference app:1.0",
        Exit::Refused,
    ),
    (
        "4. One byte of a layer is changed on the way: the signature is valid, but the layer has another digest.",
        Tamper::Layer,
        "import oci:tampered-4:v1 oci:never:v1 --key release.pub --signed-reference app:1.0",
        Exit::Unknown,
    ),
    (
        "5. One byte of the signature is changed.",
        Tamper::Signature,
        "import oci:tampered-5:v1 oci:never:v1 --key release.pub --signed-reference app:1.0",
        Exit::Refused,
    ),
    (
        "6. An attacker sends this release, with its valid signature, as the next release.",
        Tamper::Nothing,
        "import oci:build:v1 oci:never:v1 --key release.pub --signed-reference app:2.0",
        Exit::Refused,
    ),
];

#[derive(Clone, Copy)]
enum Tamper {
    Layer,
    MovedSignature,
    Nothing,
    OtherImage,
    OtherKey,
    Signature,
}

pub(super) fn demo(args: &DemoArgs, execute: Execute) -> Result<Exit, Failure> {
    let (place, _temporary) = working_directory(args)?;
    std::env::set_current_dir(&place).map_err(|error| to_failure(&place, &error))?;
    render::line(format_args!(
        "The demo runs in {}. Each line with a $ is a command that you can type there.",
        place.display()
    ));
    write(Path::new("passphrase"), b"correct horse battery staple\n")?;
    image("build", RELEASED_PROGRAM)?;
    for (why, command, want) in STEPS {
        step(why, command, want, execute)?;
    }
    render::line("");
    render::line("Now six attacks. Each must fail, and the layout `oci:never` must not be created.");
    for (number, (why, tamper, command, want)) in ATTACKS.into_iter().enumerate() {
        prepare(tamper, &format!("tampered-{}", number + 1))?;
        step(why, command, want, execute)?;
        if Path::new("never").exists() {
            return Err(Failure::refused("demo: a failed import wrote to its destination"));
        }
    }
    render::line("");
    render::line("The good image was imported. The six attacks failed and wrote nothing to the destination.");
    if args.keep.is_some() {
        print_next_steps(&place);
    }
    Ok(Exit::Yes)
}

/// Lists the files of the demo, and the commands to continue with.
fn print_next_steps(place: &Path) {
    render::line("");
    render::line(format_args!("The files stay in {}:", place.display()));
    render::line("  build, carried.tar       the signed image, as a layout and as an archive");
    render::line("  release.key, passphrase  the private key and its passphrase: for trying out only");
    render::line("  release.pub              the public key");
    render::line("To continue with your own registry, HOST:");
    render::line(format_args!("$ cd {}", place.display()));
    render::line("$ bulla copy oci:build:v1 HOST/app:1.0");
    render::line("$ bulla verify HOST/app:1.0 --key release.pub --signed-reference app:1.0");
}

fn step(why: &str, command: &str, want: Exit, execute: Execute) -> Result<(), Failure> {
    render::line("");
    render::line(format_args!("# {why}"));
    render::line(format_args!("$ bulla {command}"));
    let words = ["bulla"].into_iter().chain(command.split(' '));
    let cli = Cli::try_parse_from(words).map_err(|error| Failure::unknown(error.to_string()))?;
    let exit = execute(cli.command).unwrap_or_else(|failure| {
        render::failure(&failure);
        failure.exit
    });
    match exit == want {
        true => {
            let meaning = match exit {
                Exit::Yes => return Ok(()),
                Exit::Refused => "1: refused",
                Exit::Unknown => "2: not imported, the source is damaged",
            };
            render::line(format_args!("(exit status {meaning})"));
            Ok(())
        }
        false => Err(Failure::unknown(format!("demo: `bulla {command}` ended with {exit:?} instead of {want:?}"))),
    }
}

/// A tar archive (POSIX.1-1988) with one file, the program.
fn archive_of(program: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut header = vec![0; BLOCK];
    let mut put = |start: usize, text: &str| {
        header.iter_mut().skip(start).zip(text.bytes()).for_each(|(to, from)| *to = from);
        header.iter().copied().map(u32::from).sum::<u32>()
    };
    put(0, "usr/bin/program");
    put(100, "0000755");
    put(124, &format!("{:011o}", program.len()));
    put(136, "00000000000");
    put(257, "ustar\x0000");
    // The checksum counts its own field as spaces.
    let sum = put(148, "        ");
    put(148, &format!("{sum:07o}\0"));
    let mut archive = [&header, program].concat();
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    archive
}

/// Makes a small image, `v1`, in the layout `layout`.
fn image(layout: &str, program: &[u8]) -> Result<(), Failure> {
    let layer = Content::from_bytes("application/vnd.oci.image.layer.v1.tar", archive_of(program));
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Cmd":["/usr/bin/program"]}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        layer.digest()
    );
    let config = Content::from_bytes(media_type::OCI_CONFIG, config.into_bytes());
    let descriptor = |content: &Content| serde_json::json!(content.descriptor());
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": descriptor(&config),
        "layers": [descriptor(&layer)],
    });
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
    Runtime::new(Work::Waiting)?.block_on(async {
        let store = Layout::create(layout, Limits::DEFAULT)?;
        store.push_content(&layer).await?;
        store.push_content(&config).await?;
        let _pushed = store.push_manifest(&manifest, Some("v1")).await?;
        store.finish().await?;
        Ok(())
    })
}

fn prepare(tamper: Tamper, layout: &str) -> Result<(), Failure> {
    const OTHER_PROGRAM: &[u8] = b"a program that nobody released\n";
    match tamper {
        Tamper::Layer => {
            image(layout, RELEASED_PROGRAM)?;
            attach(layout, released_bundle()?)?;
            change_layer(layout)
        }
        Tamper::MovedSignature => {
            image(layout, OTHER_PROGRAM)?;
            attach(layout, released_bundle()?)
        }
        Tamper::Nothing => Ok(()),
        Tamper::OtherImage => image(layout, OTHER_PROGRAM),
        Tamper::OtherKey => {
            image(layout, OTHER_PROGRAM)?;
            let untrusted = PrivateKey::generate(KeyKind::P256).map_err(|error| Failure::unknown(error.to_string()))?;
            sign_with(layout, &untrusted)
        }
        Tamper::Signature => {
            image(layout, RELEASED_PROGRAM)?;
            let text = String::from_utf8_lossy(&released_bundle()?).into_owned();
            // Change the tenth character of the signature.
            let at = text.find("\"sig\":\"").map_or(0, |at| at + 17);
            let other = |(index, c): (usize, char)| if index == at { if c == 'A' { 'B' } else { 'A' } } else { c };
            attach(layout, text.chars().enumerate().map(other).collect::<String>().into_bytes())
        }
    }
}

/// The bundle with the signature of the good image.
fn released_bundle() -> Result<Vec<u8>, Failure> {
    let store = Layout::open("build", Limits::DEFAULT)?;
    let subject = subject("build")?;
    let none = || Failure::unknown("demo: the signature is missing");
    Runtime::new(Work::Waiting)?.block_on(async {
        let listed = store.referrers(subject.digest(), None).await?.ok_or_else(none)?.whole(&store.origin())?;
        let manifest = store.manifest(listed.first().ok_or_else(none)?).await?;
        let manifest = Manifest::parse(&manifest, &Limits::DEFAULT).map_err(OpsError::from)?;
        let bundle = manifest.layers.first().ok_or_else(none)?;
        Ok(store.blob(bundle, Limits::DEFAULT.evidence.signature_bytes).await?.bytes().to_vec())
    })
}

/// Signs the image in `layout` with `key`, as a Sigstore bundle.
fn sign_with(layout: &str, key: &PrivateKey) -> Result<(), Failure> {
    let (subject, store) = (subject(layout)?, Layout::open(layout, Limits::DEFAULT)?);
    let options = SignOptions {
        reference: Some("app:1.0".to_owned()),
        ..SignOptions::new(Forms::of(FormName::SigstoreBundle), Time::EPOCH)
    };
    let signers = [SigningIdentity::new(key)];
    Runtime::new(Work::Waiting)?.block_on(async {
        let _signed = sign::sign(&store, &subject, &signers, &options, SignWhen::Always, &Limits::DEFAULT).await?;
        store.finish().await?;
        Ok(())
    })
}

/// Attaches `bundle` to the image in `layout`, even if it signs another image.
fn attach(layout: &str, bundle: Vec<u8>) -> Result<(), Failure> {
    let subject = subject(layout)?;
    let store = Layout::open(layout, Limits::DEFAULT)?;
    let bundle = Content::from_bytes(media_type::SIGSTORE_BUNDLE, bundle);
    let kind = media_type::COSIGN_SIGN_PREDICATE;
    let manifest = referrer::bundle_manifest(&subject, &bundle, kind, Time::EPOCH).map_err(OpsError::from)?;
    Runtime::new(Work::Waiting)?.block_on(async {
        attach::attach(&store, &subject, &[Attachment { blobs: vec![bundle], manifest }], &Limits::DEFAULT).await?;
        store.finish().await?;
        Ok(())
    })
}

fn subject(layout: &str) -> Result<Subject, Failure> {
    let store = Layout::open(layout, Limits::DEFAULT)?;
    let tag_or_digest = TagOrDigest::Tag("v1".to_owned());
    let content = Runtime::new(Work::Waiting)?.block_on(store.resolve(&tag_or_digest))?;
    Ok(Subject::of(&content))
}

fn change_layer(layout: &str) -> Result<(), Failure> {
    let folder = Path::new(layout).join("blobs/sha256");
    for file in fs::read_dir(&folder).map_err(|error| to_failure(&folder, &error))? {
        let path = file.map_err(|error| to_failure(&folder, &error))?.path();
        let mut bytes = fs::read(&path).map_err(|error| to_failure(&path, &error))?;
        let found = bytes.windows(RELEASED_PROGRAM.len()).position(|window| window == RELEASED_PROGRAM);
        if let Some(byte) = found.and_then(|at| bytes.get_mut(at)) {
            *byte ^= 1;
            write(&path, &bytes)?;
        }
    }
    Ok(())
}

fn working_directory(args: &DemoArgs) -> Result<(PathBuf, Option<DemoDirectory>), Failure> {
    if let Some(path) = &args.keep {
        let hint = "--keep takes the name of a new directory";
        fs::create_dir(path).map_err(|error| to_failure(path, &error).hint(hint))?;
        let path = path.canonicalize().map_err(|error| to_failure(path, &error))?;
        return Ok((path, None));
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Failure::unknown(format!("demo: {error}")))?;
    let path = std::env::temp_dir().join(format!("bulla-demo-{}", bulla::digest::hex(&random)));
    fs::create_dir(&path).map_err(|error| to_failure(&path, &error))?;
    Ok((path.clone(), Some(DemoDirectory(path))))
}

/// A directory that is removed when this value is dropped.
struct DemoDirectory(PathBuf);

impl Drop for DemoDirectory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| to_failure(path, &error))
}

fn to_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unknown(format!("{}: {error}", path.display()))
}
