impl super::AttentionOps for burn_cubecl::CubeBackend {}
