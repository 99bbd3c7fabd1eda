//! Compressed text is read like the text, and rows without a target can be passed over.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use forge_data::{Column, FindingKind, ReadOptions, SplitConfig, Table, read_csv_from, read_table};

use crate::cases::case;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn compressed_files_give_the_same_table() {
    let text = std::fs::read(case("dates_us.csv")).unwrap();
    let (plain, _) = read_table(case("dates_us.csv"), &ReadOptions::default()).unwrap();
    let (first, second) = text.split_at(1000);
    // Parallel writers leave several members or frames, and ones that hold nothing.
    let mut frames = zstd(first);
    frames.extend(b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc");
    frames.extend(zstd(second));
    let members = [gzip(first), gzip(second)].concat();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, kind) in [
        ("a.csv.gz", gzip(&text), "gzip"),
        ("b.CSV.GZ", members, "gzip"),
        ("c.csv.zst", zstd(&text), "zstd"),
        ("d.csv.zst", frames, "zstd"),
        // Told by its bytes, not by its name.
        ("e.csv", gzip(&text), "gzip"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
        assert_eq!(table, plain, "{name}");
        assert_eq!(
            report
                .finding(FindingKind::Compressed, None)
                .unwrap()
                .example,
            kind
        );
        let (table, _) = read_csv_from(&bytes[..], &ReadOptions::default()).unwrap();
        assert_eq!(table, plain, "{name} from memory");
    }
}

#[test]
fn tabs_are_known_under_the_compression() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.tsv.gz");
    std::fs::write(&path, gzip(b"a,b\tc\n1\t2\n")).unwrap();
    let (table, _) = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(table.columns()[0].name, "a,b");
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let text = std::fs::read(case("dates_us.csv")).unwrap();
    for bytes in [gzip(&text), zstd(&text)] {
        for cut in [bytes.len() / 2, bytes.len() - 3] {
            let error = read_csv_from(&bytes[..cut], &ReadOptions::default()).unwrap_err();
            assert!(
                error.is_parse() && error.to_string().contains("is damaged or cut off"),
                "{error}"
            );
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.parquet.gz");
    std::fs::write(&path, gzip(b"PAR1")).unwrap();
    let error = read_table(&path, &ReadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("only text is read compressed"),
        "{error}"
    );
}

#[test]
fn rows_without_a_target_are_found_and_split_around() {
    let y: Vec<f64> = (0..40)
        .map(|i| if i % 4 == 0 { f64::NAN } else { f64::from(i) })
        .collect();
    let kinds = (0..40).map(|i| (i != 1).then_some("a"));
    let table = Table::new(vec![
        Column::numeric("y", y),
        Column::categorical("kind", kinds),
    ])
    .unwrap();
    let rows = table.rows_with_values(&["y", "kind"]).unwrap();
    assert_eq!(rows.len(), 29);
    assert!(rows.iter().all(|row| row % 4 != 0 && *row != 1));
    let split = SplitConfig::default()
        .split_rows(&table, &rows, 0.25)
        .unwrap();
    let mut used = [split.train, split.validation, split.test].concat();
    used.sort_unstable();
    assert_eq!(used, rows);
    assert!(table.rows_with_values(&["z"]).is_err());
}
