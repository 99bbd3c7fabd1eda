//! `realmlp_preprocessing`: `forge_models::RobustScale` against the package's transforms.

use forge_models::RobustScale;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    smooth_clip_max_abs_value: f64,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    if config.smooth_clip_max_abs_value != 3.0 {
        let value = config.smooth_clip_max_abs_value;
        return Err(OracleError::new(format!("clips at {value}, ours at 3")));
    }
    let rows = session.input::<2>("x_train")?;
    let [_, columns] = rows.dims();
    let dtype = rows.dtype();
    let mut module = RobustScale::new(columns, &rows.device());
    module.shift = module.shift.map(|shift| shift.cast(dtype));
    module.scale = module.scale.map(|scale| scale.cast(dtype));
    let module = module.fitted(rows)?;
    session.output("center", module.shift.val().neg().reshape([columns]))?;
    session.output("scale", module.scale.val().reshape([columns]))?;
    session.output("y", module.forward(session.input("x")?))
}
