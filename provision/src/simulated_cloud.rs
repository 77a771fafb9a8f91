//! The simulated organisation as a [`Cloud`]: its state lies in the desk's database, so that every
//! process sees the same one, and its time is the desk's.

mod answers;
mod cut;
mod port;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tierdesk_core::{
    clock::Timestamp,
    cloud::{Cloud as _, CloudError, CloudFuture, Effect, classify},
    ids::RunId,
    store::{Database, StoreError, Tx, simulated},
};

use self::cut::Cut;
use crate::simulated::{AwsFault, Operation, Pace, PolicyFilter, Reply, Simulated};

/// The row that holds the state.
const NAME: &str = "organization";
/// How long an answer may take, as with the real cloud.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// How often a lost race for the row is run again.
const TRIES: usize = 20;

const SCP: PolicyFilter = PolicyFilter::ServiceControlPolicy;

/// The simulated organisation of a desk.
#[derive(Clone, Debug)]
pub struct SimulatedCloud {
    database: Database,
    pace: Pace,
    cut: Option<Arc<Cut>>,
}

impl SimulatedCloud {
    /// The desk's organisation; one is founded at the first look. `pace` holds for a new one.
    pub fn new(database: Database, pace: Pace) -> Self {
        Self {
            database,
            pace,
            cut: None,
        }
    }

    /// The same, with whoever makes the `at`-th changing call, counted from 1, cut off before or after
    /// it acted. For tests of what another worker finds.
    #[must_use]
    pub fn cut_at(mut self, at: u64, has_acted: bool) -> Self {
        self.cut = Some(Arc::new(Cut::new(at, has_acted)));
        self
    }

    /// How many changing calls were made under a cut, the one that was cut off included.
    pub fn changes(&self) -> u64 {
        self.cut.as_ref().map_or(0, |cut| cut.changes())
    }

    /// The machine as it stands.
    pub async fn machine(&self) -> Result<Simulated, StoreError> {
        let mut tx = self.database.begin_read().await?;
        Ok(match simulated::read(&mut tx, NAME).await? {
            Some((_, state)) => parse(&state)?.at(tx.now()),
            None => self.found(&mut tx),
        })
    }

    /// Changes the machine by hand: planned faults, quotas, what somebody does in the console.
    pub async fn change(
        &self,
        change: impl Fn(&mut Simulated, Timestamp),
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let mut tx = self.database.begin_write().await?;
            let (version, mut machine) = self.load(&mut tx).await?;
            change(&mut machine, tx.now());
            if store(&mut tx, version, &machine).await? {
                return tx.commit().await;
            }
        }
        Err(contended())
    }

    fn found(&self, tx: &mut Tx) -> Simulated {
        let id: RunId = tx.new_id();
        let bits = id.0.as_u64_pair();
        Simulated::new(bits.0 ^ bits.1, self.pace)
    }

    async fn load(&self, tx: &mut Tx) -> Result<(i64, Simulated), StoreError> {
        Ok(match simulated::read(tx, NAME).await? {
            Some((version, state)) => (version, parse(&state)?),
            None => (0, self.found(tx)),
        })
    }

    async fn apply(&self, operation: &Operation) -> Result<Result<Reply, AwsFault>, StoreError> {
        if !operation.is_change() {
            let mut tx = self.database.begin_read().await?;
            let (version, mut machine) = self.load(&mut tx).await?;
            if version > 0 && !machine.has_faults() {
                return Ok(machine.apply(operation, tx.now()));
            }
        }
        for _ in 0..TRIES {
            let mut tx = self.database.begin_write().await?;
            let (version, mut machine) = self.load(&mut tx).await?;
            let answer = machine.apply(operation, tx.now());
            if store(&mut tx, version, &machine).await? {
                tx.commit().await?;
                return Ok(answer);
            }
        }
        Err(contended())
    }

    async fn call(&self, operation: Operation) -> Result<Value, CloudError> {
        let cut = self.cut.as_ref().filter(|_| operation.is_change());
        let Some(cut) = cut else {
            return self.answer(operation).await;
        };
        cut.around(self.answer(operation)).await
    }

    async fn answer(&self, operation: Operation) -> Result<Value, CloudError> {
        let effect = if operation.is_change() {
            Effect::Changes
        } else {
            Effect::Reads
        };
        let answer = self.apply(&operation).await.map_err(|fault| {
            let words = tierdesk_core::telemetry::chain(&fault);
            CloudError::no_answer(effect, format!("the simulated cloud: {words}"))
        })?;
        match answer {
            Ok(reply) if reply.delay >= TIME_LIMIT => Err(CloudError::no_answer(
                effect,
                format!("{} took longer than {TIME_LIMIT:?}", operation.name()),
            )),
            Ok(reply) => {
                tokio::time::sleep(reply.delay).await;
                Ok(reply.body)
            }
            Err(fault) if fault.is_lost => Err(CloudError::no_answer(effect, fault.message)),
            Err(fault) => Err(self.decision(&operation, &fault, effect)),
        }
    }

    /// A change of which nothing is asked back.
    fn does(&self, operation: Operation) -> CloudFuture<'_, ()> {
        Box::pin(async move { self.call(operation).await.map(|_| ()) })
    }

    fn decision(&self, operation: &Operation, fault: &AwsFault, effect: Effect) -> CloudError {
        // Before an account is ready, this is how it says so.
        if matches!(operation, Operation::AssumeRole { .. }) {
            return CloudError::WaitAndRetry {
                reason: format!("{}: {}", fault.code, fault.message),
                after: self.look_every(),
            };
        }
        let reason = fault.reason.as_deref();
        match classify(&fault.code, reason, &fault.message, effect) {
            CloudError::WaitAndRetry { reason, after } => CloudError::WaitAndRetry {
                reason,
                after: after / self.times_faster(),
            },
            other => other,
        }
    }
}

fn parse(state: &str) -> Result<Simulated, StoreError> {
    serde_json::from_str(state).map_err(|fault| StoreError::Inconsistent {
        table: "simulated_cloud",
        detail: fault.to_string(),
    })
}

async fn store(tx: &mut Tx, version: i64, machine: &Simulated) -> Result<bool, StoreError> {
    let state = serde_json::to_string(machine).map_err(|fault| StoreError::Inconsistent {
        table: "simulated_cloud",
        detail: fault.to_string(),
    })?;
    simulated::write(tx, NAME, version, state).await
}

fn contended() -> StoreError {
    StoreError::Inconsistent {
        table: "simulated_cloud",
        detail: format!("somebody else was faster {TRIES} times"),
    }
}
