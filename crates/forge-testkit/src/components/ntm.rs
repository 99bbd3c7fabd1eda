//! `ntm`: the heads of `forge_models::NtmBackbone` against `pytorch-ntm`.

use forge_models::{KeyMap, NtmAddresses, NtmHeadConfig};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Head {
    Read,
    Write,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    head: Head,
    n_slots: usize,
    slot_size: usize,
    d_controller: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let head = NtmHeadConfig {
        d_controller: config.d_controller,
        slot_size: config.slot_size,
    };
    head.validate()?;
    let (controller, memory) = (session.input("controller")?, session.input::<3>("memory")?);
    let before = session.input("w_prev")?;
    if memory.dims()[1] != config.n_slots {
        return Err(OracleError::new("the memory does not have 'n_slots' slots"));
    }
    let device = session.device();
    match config.head {
        Head::Read => {
            let keys = KeyMap::new().linear("linear", "fc_read");
            let head = session.load(head.read(device), keys)?;
            let (read, at) = head.forward(controller, &memory, before);
            addresses(session, at)?;
            session.output("y", read)
        }
        Head::Write => {
            let keys = KeyMap::new().linear("linear", "fc_write");
            let head = session.load(head.write(device), keys)?;
            let written = head.forward(controller, memory, before);
            addresses(session, written.addresses)?;
            session.output("erase", written.erase)?;
            session.output("add", written.add)?;
            session.output("y", written.memory)
        }
    }
}

fn addresses(session: &Session<'_>, at: NtmAddresses) -> Result<(), OracleError> {
    session.output("w_content", at.content)?;
    session.output("w_gated", at.gated)?;
    session.output("w_shifted", at.shifted)?;
    session.output("w", at.weights)
}
