Feature: Late and doubled news
  News of a card or of a session may come twice, late, in the wrong order or never.
  However it comes, one tap is one hold, and one hold is closed once.

  Source: EV guide, integration approach and pre-session checklist

  @must @R-CPS-02 @cps
  Rule: News that comes twice, late or out of order opens nothing twice

    @S-K01
    Scenario: The news of a card comes twice
      Given the next card callback comes twice
      When the driver taps
      Then one authorisation has been attempted
      And one session has been opened

    # When the cloud repeats a callback is not documented: an assumption.
    @S-K05
    Scenario: The cloud posts the news of a card again because it heard no answer
      Given the next card callback is posted again after 20 seconds
      When the driver taps
      Then one session has been opened
      And one authorisation has been attempted
      And the driver's session stays open

    @S-K02 @R-NOS-08
    Scenario: The news of a card comes when the card has been dropped
      Given the news of a card is late by 45 seconds
      When the driver taps
      Then no session is opened
      And no more than one authorisation has been attempted

    @S-K03 @R-MUL-01
    Scenario: The news of a card is overtaken by that of the next
      Given the next card callback is overtaken by its successor
      And the driver has tapped
      And 60 seconds have passed
      When the second driver taps
      Then the second driver's session stays open
      And no more than two authorisations have been attempted
      And the controller has sent no closes

  @should @R-CPS-01 @R-CPS-02 @cps
  Rule: A driver is served although the news is lost

    @S-K04
    Scenario: The news of a card is lost
      Given the next card callback is lost
      And the driver has plugged in at connector 1
      When the driver taps
      Then energy flows at connector 1 within 60 seconds

  @must @R-CPS-02 @R-MUL-05 @cps
  Rule: Somebody else's session is left alone

    @S-K06
    Scenario: A callback is about somebody else's session
      Given the driver is charging at connector 1
      When a callback about somebody else's session arrives
      Then the driver's session stays open
      And the controller has sent no closes
      And energy still flows at connector 1

  # Over CPS the second session has no news of its own: only whoever lists the terminal's
  # sessions sees it. Its card tells whose it is: nobody else has read one there.
  @must @R-SES-11
  Rule: One authorisation is one session

    @S-K08
    Scenario: One authorisation opens two sessions
      Given the next authorisation opens two sessions
      And the driver has been authorised
      When 60 seconds pass
      Then two sessions have been opened
      And one session is open within 60 seconds

  # Over TCP a controller that connects anew never hears the old answer: nothing to play.
  @must @R-PSP-03 @R-SES-07 @p6x
  Rule: An answer belongs to what was asked

    @S-K09
    Scenario: The answer to a commit comes after its limit, while another is awaited
      Given the driver is charging at connector 1
      And the second driver is charging at connector 2
      And the answer to the next commit is held back beyond its limit
      And the terminal refuses the commit after the next
      When all drivers unplug in the same second
      Then every session is closed within 5 minutes

  @must @R-SES-09
  Rule: A session is closed once, however many reasons there are

    @S-K07
    Scenario: The approval of a session comes twice
      Given the approval of the next session comes twice
      And the driver has plugged in at connector 1
      When the driver taps
      Then energy flows at connector 1 within 60 seconds
      And the driver's session stays open
      And energy still flows at connector 1

    @S-K10 @sample
    Scenario: The driver presses stop and pulls the plug in the same instant
      Given the driver is charging at connector 1
      When the driver presses stop and unplugs at connector 1 in the same instant
      Then the driver's session is committed within 10 seconds
      And the controller has sent one close
