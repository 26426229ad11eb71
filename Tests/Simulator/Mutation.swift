/// A line of the protocol that is taken out, to show that the simulator would notice. They live in the simulator's shell only;
/// the types under test are the program's own and know nothing of them.
public enum Mutation: String, Sendable, Hashable, CaseIterable {
  // What is settled.
  /// After a recovery everything is sent again, whatever the group has committed.
  case recoverTreatsAllAsUnsettled
  /// After a recovery everything counts as settled.
  case recoverTreatsAllAsSettled
  /// A lost transaction is sent again without asking.
  case lostIsSentAgain
  /// A lost transaction counts as gone through.
  case lostCountsAsCommitted
  /// A failed recovery is not tried again.
  case recoveryIsNotRetried
  /// A record that can never be written is treated like any loss.
  case unwritableIsLost
  /// Outputs and positions go in two transactions.
  case positionsApart
  /// The position of what was read last is committed, rather than that of the pairs that go out.
  case positionAhead
  // Who owns a partition.
  /// Workers go on while their partitions are given up.
  case workersGoOn
  /// What is unsettled of a revoked partition is not waited for.
  case noDrain
  /// Pairs are kept when partitions are given up or lost.
  case pairsAreKept
  /// The group metadata is read when it is sent, not when the assignment was taken.
  case groupIsReadLate
  /// Offsets are sent although the consumer is no member.
  case noMemberMaySend
  /// The group metadata stays that of the first assignment.
  case groupStays
  /// A revocation is drained with the membership of before the rebalance.
  case drainsWithOldGroup
  /// A process that is fenced by its name goes on.
  case fencedGoesOn
  /// A member that the group had forgotten, and took in as another, goes on with what it had.
  case forgottenGoesOn
  // How a partition is taken up.
  /// The committed offset is asked for without waiting for transactions that are under way.
  case noStableFetch
  /// Where recovery asks, it asks without waiting.
  case noStableRecovery
  /// What was written before the start is written again.
  case mutingIsOff
  /// Windows are not rebuilt.
  case noReplay
  /// A replay does not know the largest time before it.
  case replayForgetsLargest
  /// Offsets that hang in the group are left there.
  case hangingOffsetsStay
  /// Those of the state's producer are.
  case hangingStateStays
  /// What an earlier transaction may have left pending is not asked for before the next commit.
  case doubtIsForgotten
  /// Where offsets can't be had, they are not asked for again.
  case takeOverIsNotRetried
  // Snapshots.
  /// A cut is written before the commit that covers it.
  case cutBeforeCommit
  /// A cut is written without the group's metadata.
  case cutIsNotFenced
  /// A cut goes out under the membership of now, not that of the assignment in which it was handed out.
  case fenceIsIgnored
  /// A cut that was not written is not written again.
  case cutIsNotRepeated
  /// A cut without changes writes no marker.
  case emptyCutIsLeftOut
  /// What is gone has no tombstone.
  case noTombstones
  /// The marker of a cut goes in a transaction of its own, before the rest.
  case markerGoesFirst
  /// No last cut is made when a partition is given up, or it is not waited for.
  case noLastCut
  /// The marker is read without waiting for records that are decided and hidden.
  case markerIsReadEarly
  /// They are waited for for a moment only.
  case hiddenIsLeftSoon
  /// It is not asked whether the state's offset is stable.
  case stateIsNotAsked
  /// A fresh start has the seed of the one before.
  case seedIsKept
  /// A restore that is interrupted adopts what it has read.
  case halfIsAdopted
  /// A group that was set back by hand is not noticed.
  case setBackIsNotNoticed
  /// A snapshot that was left out is taken once the group has passed it.
  case pastIsForgotten
  /// What windows are held back for at a start is not known at the next.
  case heldBackIsForgotten
  // Exchanges.
  /// Blocks of events are visible whatever becomes of the transaction that they are part of.
  case blocksApart
  /// Blocks of transactions that are not decided are read.
  case undecidedIsRead
  /// What has been read of an exchange is deleted, whether it is saved or not.
  case purgeToPosition
  /// A partition of the source that was not heard of yet holds nobody back.
  case unheardHoldsNobody
  /// A partition may be declared idle though it has not been read to its end.
  case busyIsQuiet
  /// Nothing is handed over to exchanges between two batches.
  case noTick
  /// A worker that stops does not hand over what waits for the rest of its block.
  case noFlush
  // Bounds and wake-ups.
  /// A partition is read on whatever is unsettled.
  case boundIsIgnored
  /// Nobody is woken when pairs are settled.
  case noWakeWhenSettled
  // What an alert says.
  /// No event is late.
  case nothingIsLate
  /// An alert names the process that made it.
  case alertsNameProcess
  /// Outputs of a batch go out by destination, not by cause.
  case outputsBySort
}
